#include "packet_ring.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tunnelscope {

namespace {

// Fewer blocks than this are no ring any more: one is being written, one read.
constexpr uint32_t kMinBlockCount = 16;

// The kernel only checks that frames fit into blocks; TPACKET_V3 packs them by their own length.
constexpr uint32_t kFrameLen = 2048;

bool Fail(SystemFault* fault, const char* step) {
  fault->step = step;
  fault->number = errno;
  return false;
}

}  // namespace

std::shared_ptr<PacketRing> PacketRing::Open(const RingOptions& options, SystemFault* fault) {
  std::shared_ptr<PacketRing> ring(new PacketRing());
  // Protocol 0: nothing is received until bind().
  ring->fd_ = options.socket >= 0 ? options.socket : socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (ring->fd_ < 0) {
    Fail(fault, "socket");
    return nullptr;
  }
  // One that came through exec stays here from now on.
  fcntl(ring->fd_, F_SETFD, FD_CLOEXEC);
  if (!ring->Configure(options, fault)) return nullptr;
  return ring;
}

PacketRing::~PacketRing() {
  CloseSocket();
  Unmap();
}

bool PacketRing::Configure(const RingOptions& options, SystemFault* fault) {
  const int version = TPACKET_V3;
  if (setsockopt(fd_, SOL_PACKET, PACKET_VERSION, &version, sizeof version) != 0) return Fail(fault, "PACKET_VERSION");

  // Before bind(), so that not one packet passes unfiltered.
  if (!options.filter.empty()) {
    sock_fprog program = {};
    program.len = static_cast<unsigned short>(options.filter.size());
    program.filter = const_cast<sock_filter*>(options.filter.data());
    if (setsockopt(fd_, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) != 0) {
      return Fail(fault, "SO_ATTACH_FILTER");
    }
    const int on = 1;
    if (options.lock_filter && setsockopt(fd_, SOL_SOCKET, SO_LOCK_FILTER, &on, sizeof on) != 0) {
      return Fail(fault, "SO_LOCK_FILTER");
    }
  }

  if (!MapRing(options, fault)) return false;

  sockaddr_ll address = {};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  if (bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) return Fail(fault, "bind");
  return true;
}

bool PacketRing::MapRing(const RingOptions& options, SystemFault* fault) {
  block_len_ = options.block_len;
  for (uint32_t count = options.ring_len / options.block_len;; count /= 2) {
    tpacket_req3 request = {};
    request.tp_block_size = options.block_len;
    request.tp_block_nr = count;
    request.tp_frame_size = kFrameLen;
    request.tp_frame_nr = options.block_len / kFrameLen * count;
    request.tp_retire_blk_tov = options.block_timeout_millis;
    const bool allocated = setsockopt(fd_, SOL_PACKET, PACKET_RX_RING, &request, sizeof request) == 0;
    if (!allocated && (errno != ENOMEM || count < 2 * kMinBlockCount)) return Fail(fault, "PACKET_RX_RING");
    if (!allocated) continue;

    const size_t len = static_cast<size_t>(options.block_len) * count;
    void* memory = mmap(nullptr, len, PROT_READ | PROT_WRITE, MAP_SHARED, fd_, 0);
    if (memory != MAP_FAILED) {
      memory_ = static_cast<uint8_t*>(memory);
      memory_len_ = len;
      block_count_ = count;
      return true;
    }
    if (errno != ENOMEM || count < 2 * kMinBlockCount) return Fail(fault, "mmap");
    tpacket_req3 nothing = {};
    if (setsockopt(fd_, SOL_PACKET, PACKET_RX_RING, &nothing, sizeof nothing) != 0) return Fail(fault, "PACKET_RX_RING");
  }
}

const RingStatistics& PacketRing::Statistics() {
  tpacket_stats_v3 stats = {};
  socklen_t len = sizeof stats;
  if (fd_ >= 0 && getsockopt(fd_, SOL_PACKET, PACKET_STATISTICS, &stats, &len) == 0) {
    statistics_.received += stats.tp_packets;
    statistics_.dropped += stats.tp_drops;
    statistics_.freezes += stats.tp_freeze_q_cnt;
  }
  return statistics_;
}

void PacketRing::CloseSocket() {
  if (fd_ < 0) return;
  Statistics();
  close(fd_);
  fd_ = -1;
}

void PacketRing::Unmap() {
  if (memory_ == nullptr) return;
  munmap(memory_, memory_len_);
  memory_ = nullptr;
  memory_len_ = 0;
}

}  // namespace tunnelscope
