// What a service gives up: the packet socket is opened first, then the process becomes another one that holds it and has
// no right left. A new program image, because capabilities belong to threads and an image begins with one: whatever
// threads it starts later have what that one has. Linux only; knows nothing of JavaScript.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "packet_ring.h"

namespace tunnelscope {

struct ServiceIdentity {
  // Root becomes this user; otherwise who we are stays.
  bool change_user = false;
  uid_t user = 0;
  gid_t group = 0;
  std::vector<gid_t> groups;
  // CAP_NET_RAW stays, for children that open packet sockets of their own.
  bool keep_net_raw = false;
};

// A packet socket that receives nothing yet and outlives exec; -1 and `fault` when refused.
int OpenPacketSocket(SystemFault* fault);

// An open file that outlives exec; `owner` gets it when it is new or root's. -1 and `fault` when refused.
int OpenFileForService(const std::string& path, const ServiceIdentity& owner, SystemFault* fault);

// Gives up every capability (but CAP_NET_RAW when kept), forbids getting any back, and runs `program` in place of this one.
// Returns only when the system refuses, with `fault` set; the process is to be ended then, for half may be done.
void BecomeService(const ServiceIdentity& identity, const std::string& program, const std::vector<std::string>& arguments,
                   const std::vector<std::string>& environment, SystemFault* fault);

// A datagram to systemd's notification socket (sd_notify(3)); a path that begins with @ is abstract. 0 or an errno.
int NotifyService(const std::string& path, const std::string& message);

}  // namespace tunnelscope
