// A socket whose packets leave by one interface and by no other (SO_BINDTODEVICE), for the active check. Its local port
// is chosen before anything is sent, so that its packets can be told from those of others. Knows nothing of JavaScript.
#pragma once

#include <cstdint>
#include <string>

#include "packet_ring.h"

namespace tunnelscope {

struct BoundSocketOptions {
  // TCP, otherwise UDP.
  bool stream = false;
  bool ipv6 = false;
  std::string interface_name;
};

struct BoundSocket {
  int fd = -1;
  uint16_t port = 0;
};

// Not connected and never blocking; it is closed by exec. `fd` is -1 and `fault` set when the system refuses.
BoundSocket OpenBoundSocket(const BoundSocketOptions& options, SystemFault* fault);

}  // namespace tunnelscope
