#include "bound_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

namespace tunnelscope {

namespace {

BoundSocket Fail(SystemFault* fault, const char* step, int fd) {
  fault->step = step;
  fault->number = errno;
  if (fd >= 0) close(fd);
  return {};
}

// Port 0 is any free one. Room for either family.
union Address {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

}  // namespace

BoundSocket OpenBoundSocket(const BoundSocketOptions& options, SystemFault* fault) {
  const int family = options.ipv6 ? AF_INET6 : AF_INET;
  const int type = options.stream ? SOCK_STREAM : SOCK_DGRAM;
  const int fd = socket(family, type | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return Fail(fault, "socket", fd);
  // The kernel cuts a longer name, which might then be another interface's.
  if (options.interface_name.empty() || options.interface_name.size() >= IFNAMSIZ) {
    errno = ENODEV;
    return Fail(fault, "SO_BINDTODEVICE", fd);
  }
  if (setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, options.interface_name.c_str(), options.interface_name.size()) != 0) {
    return Fail(fault, "SO_BINDTODEVICE", fd);
  }
  const int on = 1;
  if (options.ipv6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on) != 0) {
    return Fail(fault, "IPV6_V6ONLY", fd);
  }
  Address address = {};
  socklen_t len = options.ipv6 ? sizeof address.v6 : sizeof address.v4;
  address.any.sa_family = static_cast<sa_family_t>(family);
  if (bind(fd, &address.any, len) != 0) return Fail(fault, "bind", fd);
  if (getsockname(fd, &address.any, &len) != 0) return Fail(fault, "getsockname", fd);
  return {fd, ntohs(options.ipv6 ? address.v6.sin6_port : address.v4.sin_port)};
}

}  // namespace tunnelscope
