#include "packet_ring_object.h"

#include <errno.h>

#include <cstring>
#include <memory>

#include "packet_ring.h"
#include "system_error.h"
#include "wake_callback.h"

namespace tunnelscope {

namespace {

class PacketRingObject : public Napi::ObjectWrap<PacketRingObject> {
 public:
  explicit PacketRingObject(const Napi::CallbackInfo& info);

  Napi::Value Arm(const Napi::CallbackInfo& info);
  Napi::Value Statistics(const Napi::CallbackInfo& info);
  Napi::Value Close(const Napi::CallbackInfo& info);

 private:
  std::shared_ptr<PacketRing> ring_;
  std::unique_ptr<WakeCallback> wake_;
  Napi::Reference<Napi::ArrayBuffer> memory_;
};

PacketRingObject::PacketRingObject(const Napi::CallbackInfo& info) : Napi::ObjectWrap<PacketRingObject>(info) {
  const Napi::Env env = info.Env();
  const Napi::Object from = info[0].As<Napi::Object>();
  RingOptions options;
  options.ring_len = from.Get("ringLen").As<Napi::Number>().Uint32Value();
  options.block_len = from.Get("blockLen").As<Napi::Number>().Uint32Value();
  options.block_timeout_millis = from.Get("blockTimeoutMillis").As<Napi::Number>().Uint32Value();
  options.lock_filter = from.Get("lockFilter").As<Napi::Boolean>().Value();
  if (from.Get("socket").IsNumber()) options.socket = from.Get("socket").As<Napi::Number>().Int32Value();
  const auto program = from.Get("filter").As<Napi::Uint8Array>();
  options.filter.resize(program.ByteLength() / sizeof(sock_filter));
  if (!options.filter.empty()) {
    memcpy(options.filter.data(), program.Data(), options.filter.size() * sizeof(sock_filter));
  }

  SystemFault fault;
  ring_ = PacketRing::Open(options, &fault);
  if (ring_ == nullptr) {
    ThrowSystemFault(env, fault);
    return;
  }

  wake_ = std::make_unique<WakeCallback>(env, info[1].As<Napi::Function>(), ring_->fd(), false, [] { return true; });
  if (!wake_->IsRunning()) {
    wake_ = nullptr;
    ring_->CloseSocket();
    ThrowSystemFault(env, {"thread", EAGAIN});
    return;
  }

  // The buffer keeps the mapping alive: it may outlive this object.
  auto memory = Napi::ArrayBuffer::New(
      env, ring_->memory(), ring_->memory_len(),
      [](Napi::Env, void*, std::shared_ptr<PacketRing>* owner) { delete owner; },
      new std::shared_ptr<PacketRing>(ring_));
  memory_ = Napi::Persistent(memory);
  Napi::Object self = info.This().As<Napi::Object>();
  self.Set("memory", memory);
  self.Set("blockLen", ring_->block_len());
  self.Set("blockCount", ring_->block_count());
}

Napi::Value PacketRingObject::Arm(const Napi::CallbackInfo& info) {
  if (wake_ != nullptr) wake_->Arm();
  return info.Env().Undefined();
}

Napi::Value PacketRingObject::Statistics(const Napi::CallbackInfo& info) {
  const RingStatistics& statistics = ring_->Statistics();
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("received", static_cast<double>(statistics.received));
  result.Set("dropped", static_cast<double>(statistics.dropped));
  result.Set("freezes", static_cast<double>(statistics.freezes));
  return result;
}

Napi::Value PacketRingObject::Close(const Napi::CallbackInfo& info) {
  wake_ = nullptr;
  ring_->CloseSocket();
  if (!memory_.IsEmpty()) {
    // A detached buffer has length 0 in JavaScript, so nothing can reach the memory that goes away.
    memory_.Value().Detach();
    if (memory_.Value().IsDetached()) ring_->Unmap();
    memory_.Reset();
  }
  return info.Env().Undefined();
}

}  // namespace

Napi::Function DefinePacketRing(Napi::Env env) {
  return PacketRingObject::DefineClass(env, "PacketRing",
                                       {PacketRingObject::InstanceMethod("arm", &PacketRingObject::Arm),
                                        PacketRingObject::InstanceMethod("statistics", &PacketRingObject::Statistics),
                                        PacketRingObject::InstanceMethod("close", &PacketRingObject::Close)});
}

}  // namespace tunnelscope
