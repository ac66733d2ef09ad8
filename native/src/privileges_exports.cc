#include "privileges_exports.h"

#include <string>
#include <vector>

#include "privileges.h"
#include "system_error.h"

namespace tunnelscope {

namespace {

std::vector<std::string> Words(const Napi::Value& value) {
  const auto array = value.As<Napi::Array>();
  std::vector<std::string> words;
  for (uint32_t i = 0; i < array.Length(); i++) words.push_back(array.Get(i).As<Napi::String>().Utf8Value());
  return words;
}

// { uid?, gid?, groups?, keepNetRaw }
ServiceIdentity IdentityOf(const Napi::Value& value) {
  const auto from = value.As<Napi::Object>();
  ServiceIdentity identity;
  identity.keep_net_raw = from.Get("keepNetRaw").ToBoolean().Value();
  identity.change_user = from.Get("uid").IsNumber();
  if (!identity.change_user) return identity;
  identity.user = from.Get("uid").As<Napi::Number>().Uint32Value();
  identity.group = from.Get("gid").As<Napi::Number>().Uint32Value();
  const auto groups = from.Get("groups").As<Napi::Array>();
  for (uint32_t i = 0; i < groups.Length(); i++) {
    identity.groups.push_back(groups.Get(i).As<Napi::Number>().Uint32Value());
  }
  return identity;
}

Napi::Value OpenPacketSocketFor(const Napi::CallbackInfo& info) {
  SystemFault fault;
  const int fd = OpenPacketSocket(&fault);
  if (fd < 0) ThrowSystemFault(info.Env(), fault);
  return Napi::Number::New(info.Env(), fd);
}

Napi::Value OpenFileForServiceFor(const Napi::CallbackInfo& info) {
  SystemFault fault;
  const int fd = OpenFileForService(info[0].As<Napi::String>().Utf8Value(), IdentityOf(info[1]), &fault);
  if (fd < 0) ThrowSystemFault(info.Env(), fault);
  return Napi::Number::New(info.Env(), fd);
}

Napi::Value BecomeServiceFor(const Napi::CallbackInfo& info) {
  SystemFault fault;
  BecomeService(IdentityOf(info[0]), info[1].As<Napi::String>().Utf8Value(), Words(info[2]), Words(info[3]), &fault);
  ThrowSystemFault(info.Env(), fault);
  return info.Env().Undefined();
}

Napi::Value NotifyServiceFor(const Napi::CallbackInfo& info) {
  const int result = NotifyService(info[0].As<Napi::String>().Utf8Value(), info[1].As<Napi::String>().Utf8Value());
  return Napi::Number::New(info.Env(), result);
}

}  // namespace

void DefinePrivileges(Napi::Env env, Napi::Object exports) {
  exports.Set("openPacketSocket", Napi::Function::New(env, OpenPacketSocketFor, "openPacketSocket"));
  exports.Set("openFileForService", Napi::Function::New(env, OpenFileForServiceFor, "openFileForService"));
  exports.Set("becomeService", Napi::Function::New(env, BecomeServiceFor, "becomeService"));
  exports.Set("notifyService", Napi::Function::New(env, NotifyServiceFor, "notifyService"));
}

}  // namespace tunnelscope
