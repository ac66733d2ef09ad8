#include "net_watch_object.h"

#include <errno.h>

#include <memory>
#include <vector>

#include "net_watch.h"
#include "system_error.h"
#include "wake_callback.h"

namespace tunnelscope {

namespace {

class NetWatchObject : public Napi::ObjectWrap<NetWatchObject> {
 public:
  explicit NetWatchObject(const Napi::CallbackInfo& info);

  Napi::Value Take(const Napi::CallbackInfo& info);
  Napi::Value RequestDump(const Napi::CallbackInfo& info);
  Napi::Value Close(const Napi::CallbackInfo& info);

 private:
  // Members are destroyed in reverse order: the watcher's thread ends before the socket does.
  std::unique_ptr<NetWatch> watch_;
  std::unique_ptr<WakeCallback> wake_;
};

NetWatchObject::NetWatchObject(const Napi::CallbackInfo& info)
    : Napi::ObjectWrap<NetWatchObject>(info), watch_(std::make_unique<NetWatch>()) {
  SystemFault fault;
  if (!watch_->Open(&fault)) {
    ThrowSystemFault(info.Env(), fault);
    return;
  }
  NetWatch* watch = watch_.get();
  wake_ = std::make_unique<WakeCallback>(info.Env(), info[0].As<Napi::Function>(), watch->fd(), true,
                                         [watch] { return watch->ReadEvents(true); });
  if (!wake_->IsRunning()) {
    wake_ = nullptr;
    ThrowSystemFault(info.Env(), {"thread", EAGAIN});
  }
}

// Array of [timeMicros, snapshot, Uint8Array]. Reads the socket itself first: on a busy machine the watcher's thread is
// late, and what the kernel told before a packet must be known before that packet. The argument: wait for that thread.
Napi::Value NetWatchObject::Take(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  if (watch_ == nullptr) return Napi::Array::New(env);
  watch_->ReadEvents(info[0].ToBoolean());
  if (watch_->IsDumpDue() && wake_ != nullptr) wake_->Kick();
  const std::vector<NetMessages> taken = watch_->Take();
  Napi::Array result = Napi::Array::New(env, taken.size());
  for (size_t i = 0; i < taken.size(); i++) {
    Napi::Array item = Napi::Array::New(env, 3);
    item.Set(0u, taken[i].time_micros);
    item.Set(1u, taken[i].snapshot);
    item.Set(2u, Napi::Buffer<uint8_t>::Copy(env, taken[i].data.data(), taken[i].data.size()));
    result.Set(static_cast<uint32_t>(i), item);
  }
  return result;
}

Napi::Value NetWatchObject::RequestDump(const Napi::CallbackInfo& info) {
  if (watch_ != nullptr && wake_ != nullptr) {
    watch_->RequestDump();
    wake_->Kick();
  }
  return info.Env().Undefined();
}

Napi::Value NetWatchObject::Close(const Napi::CallbackInfo& info) {
  wake_ = nullptr;
  watch_ = nullptr;
  return info.Env().Undefined();
}

}  // namespace

Napi::Function DefineNetWatch(Napi::Env env) {
  return NetWatchObject::DefineClass(env, "NetWatch",
                                     {NetWatchObject::InstanceMethod("take", &NetWatchObject::Take),
                                      NetWatchObject::InstanceMethod("requestDump", &NetWatchObject::RequestDump),
                                      NetWatchObject::InstanceMethod("close", &NetWatchObject::Close)});
}

}  // namespace tunnelscope
