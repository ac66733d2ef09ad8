// One AF_PACKET socket over all interfaces and its TPACKET_V3 ring, mapped into memory. Knows nothing of JavaScript:
// whoever reads the ring walks the blocks itself and gives them back by writing TP_STATUS_KERNEL.
#pragma once

#include <linux/filter.h>

#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace tunnelscope {

struct RingOptions {
  // Bytes of the whole ring and of one block. A block is a multiple of the page size and holds the largest frame.
  uint32_t ring_len = 0;
  uint32_t block_len = 0;
  // A block that is not full is handed over after this time.
  uint32_t block_timeout_millis = 0;
  // Classic BPF; sees layer 3 at offset 0. Empty = everything.
  std::vector<sock_filter> filter;
  // Forbid any later change of the filter, by us too (SO_LOCK_FILTER).
  bool lock_filter = false;
  // An unbound packet socket that was opened while that was allowed; -1 = open one. Taken over in any case.
  int socket = -1;
};

// Counted since the ring was opened.
struct RingStatistics {
  uint64_t received = 0;  // passed the filter, dropped ones included
  uint64_t dropped = 0;   // found no room
  uint64_t freezes = 0;   // times the ring was full
};

// The system call that failed and its errno.
struct SystemFault {
  const char* step = nullptr;
  int number = 0;
};

class PacketRing {
 public:
  // Null and `fault` set when the system refuses. On ENOMEM a ring of half the size is tried, down to 16 blocks.
  static std::shared_ptr<PacketRing> Open(const RingOptions& options, SystemFault* fault);
  ~PacketRing();
  PacketRing(const PacketRing&) = delete;
  PacketRing& operator=(const PacketRing&) = delete;

  int fd() const { return fd_; }
  uint8_t* memory() const { return memory_; }
  size_t memory_len() const { return memory_len_; }
  uint32_t block_len() const { return block_len_; }
  uint32_t block_count() const { return block_count_; }

  // Reading resets the kernel's counters, so they are added up here. Keeps its last value after CloseSocket().
  const RingStatistics& Statistics();

  // No packet arrives afterwards; the memory stays. Idempotent.
  void CloseSocket();
  // The memory is gone: only when nobody looks at it any more. Idempotent.
  void Unmap();

 private:
  PacketRing() = default;
  bool Configure(const RingOptions& options, SystemFault* fault);
  bool MapRing(const RingOptions& options, SystemFault* fault);

  int fd_ = -1;
  uint8_t* memory_ = nullptr;
  size_t memory_len_ = 0;
  uint32_t block_len_ = 0;
  uint32_t block_count_ = 0;
  RingStatistics statistics_;
};

}  // namespace tunnelscope
