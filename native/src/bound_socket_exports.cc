#include "bound_socket_exports.h"

#include "bound_socket.h"
#include "system_error.h"

namespace tunnelscope {

namespace {

// { stream, ipv6, interfaceName } to { fd, port }
Napi::Value OpenBoundSocketFor(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const auto from = info[0].As<Napi::Object>();
  BoundSocketOptions options;
  options.stream = from.Get("stream").ToBoolean().Value();
  options.ipv6 = from.Get("ipv6").ToBoolean().Value();
  options.interface_name = from.Get("interfaceName").As<Napi::String>().Utf8Value();
  SystemFault fault;
  const BoundSocket socket = OpenBoundSocket(options, &fault);
  if (socket.fd < 0) {
    ThrowSystemFault(env, fault);
    return env.Undefined();
  }
  Napi::Object result = Napi::Object::New(env);
  result.Set("fd", Napi::Number::New(env, socket.fd));
  result.Set("port", Napi::Number::New(env, socket.port));
  return result;
}

}  // namespace

void DefineBoundSocket(Napi::Env env, Napi::Object exports) {
  exports.Set("openBoundSocket", Napi::Function::New(env, OpenBoundSocketFor, "openBoundSocket"));
}

}  // namespace tunnelscope
