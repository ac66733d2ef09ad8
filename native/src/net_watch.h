// An rtnetlink socket that tells of links, addresses, routes and rules: a full dump first and after every overrun, then
// the events in the kernel's order. Messages are kept as the kernel wrote them; what they mean is decided elsewhere.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <mutex>
#include <vector>

#include "packet_ring.h"

namespace tunnelscope {

// One or more whole netlink messages (RFC 3549) and the CLOCK_REALTIME at which they were read.
struct NetMessages {
  double time_micros = 0;
  // A full dump of everything: forget what was known.
  bool snapshot = false;
  std::vector<uint8_t> data;
};

class NetWatch {
 public:
  NetWatch() = default;
  ~NetWatch();
  NetWatch(const NetWatch&) = delete;
  NetWatch& operator=(const NetWatch&) = delete;

  // Opens, subscribes and queues the first dump. False and `fault` set when the system refuses.
  bool Open(SystemFault* fault);
  int fd() const { return fd_; }

  // Reads what is there without waiting for more; true when something was queued. Any thread. With `wait` it waits for
  // another thread that is reading, and dumps again when events were lost.
  bool ReadEvents(bool wait);
  // Events were lost, or a dump was asked for: a ReadEvents() that may wait is due.
  bool IsDumpDue() const { return lost_; }
  // Everything queued so far, oldest first. Any thread.
  std::vector<NetMessages> Take();

  // Makes the next ReadEvents() dump again, as after an overrun of the socket. Any thread.
  void RequestDump() { lost_ = true; }

 private:
  bool Dump(SystemFault* fault);
  bool DumpKind(uint16_t type, std::vector<uint8_t>* data, bool* interrupted, SystemFault* fault);
  void Queue(NetMessages messages);

  int fd_ = -1;
  uint32_t sequence_ = 0;
  std::atomic<bool> lost_{false};
  // Held by who reads from the socket: it guards all above but `lost_`.
  std::mutex read_mutex_;
  std::vector<uint8_t> buffer_;
  std::mutex mutex_;
  std::vector<NetMessages> queue_;
  size_t queued_len_ = 0;
  bool queue_overrun_ = false;
};

}  // namespace tunnelscope
