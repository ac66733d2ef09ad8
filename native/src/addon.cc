// Exports only. Context-aware: every worker that loads the addon has its own objects, nothing is shared.
#include <linux/filter.h>
#include <linux/if_packet.h>
#include <napi.h>

#include <cstddef>

#include "bound_socket_exports.h"
#include "filter_compiler.h"
#include "net_watch_object.h"
#include "packet_ring_object.h"
#include "privileges_exports.h"

namespace tunnelscope {

namespace {

// { program: Uint8Array } | { error: string } | { missing: true }
Napi::Value CompileFilterFor(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const int link_type = info[1].As<Napi::Number>().Int32Value();
  const CompiledFilter filter = CompileFilter(info[0].As<Napi::String>().Utf8Value(), link_type);
  Napi::Object result = Napi::Object::New(env);
  if (filter.missing) {
    result.Set("missing", true);
  } else if (!filter.error.empty()) {
    result.Set("error", filter.error);
  } else {
    const auto* bytes = reinterpret_cast<const uint8_t*>(filter.program.data());
    result.Set("program", Napi::Buffer<uint8_t>::Copy(env, bytes, filter.program.size() * sizeof(sock_filter)));
  }
  return result;
}

// The kernel's structures as this machine's headers have them; a test compares them with src/capture/ring-layout.ts.
Napi::Object Layout(Napi::Env env) {
  Napi::Object layout = Napi::Object::New(env);
  const auto set = [&layout](const char* name, size_t value) { layout.Set(name, static_cast<double>(value)); };
  set("BLOCK_STATUS_AT", offsetof(tpacket_block_desc, hdr.bh1.block_status));
  set("BLOCK_PACKET_COUNT_AT", offsetof(tpacket_block_desc, hdr.bh1.num_pkts));
  set("BLOCK_FIRST_FRAME_AT", offsetof(tpacket_block_desc, hdr.bh1.offset_to_first_pkt));
  set("FRAME_NEXT_OFFSET_AT", offsetof(tpacket3_hdr, tp_next_offset));
  set("FRAME_SECONDS_AT", offsetof(tpacket3_hdr, tp_sec));
  set("FRAME_NANOSECONDS_AT", offsetof(tpacket3_hdr, tp_nsec));
  set("FRAME_CAPTURED_LEN_AT", offsetof(tpacket3_hdr, tp_snaplen));
  set("FRAME_WIRE_LEN_AT", offsetof(tpacket3_hdr, tp_len));
  set("FRAME_NETWORK_OFFSET_AT", offsetof(tpacket3_hdr, tp_net));
  const size_t address = TPACKET_ALIGN(sizeof(tpacket3_hdr));
  set("FRAME_PROTOCOL_AT", address + offsetof(sockaddr_ll, sll_protocol));
  set("FRAME_INTERFACE_INDEX_AT", address + offsetof(sockaddr_ll, sll_ifindex));
  set("FRAME_HARDWARE_TYPE_AT", address + offsetof(sockaddr_ll, sll_hatype));
  set("FRAME_PACKET_TYPE_AT", address + offsetof(sockaddr_ll, sll_pkttype));
  set("BLOCK_STATUS_KERNEL", TP_STATUS_KERNEL);
  set("BLOCK_STATUS_USER", TP_STATUS_USER);
  set("FRAME_PACKET_TYPE_OUTGOING", PACKET_OUTGOING);
  set("FILTER_INSTRUCTION_LEN", sizeof(sock_filter));
  return layout;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("PacketRing", DefinePacketRing(env));
  exports.Set("NetWatch", DefineNetWatch(env));
  exports.Set("compileFilter", Napi::Function::New(env, CompileFilterFor, "compileFilter"));
  exports.Set("layout", Layout(env));
  DefinePrivileges(env, exports);
  DefineBoundSocket(env, exports);
  return exports;
}

NODE_API_MODULE(tunnelscope, Init)

}  // namespace

}  // namespace tunnelscope
