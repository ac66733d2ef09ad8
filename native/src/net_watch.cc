#include "net_watch.h"

#include <errno.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#include <cstring>
#include <utility>

namespace tunnelscope {

namespace {

// The kernel builds dump messages of at most 32 KiB; events are smaller.
constexpr size_t kReadLen = 128 * 1024;
// What may wait for a reader that is busy; beyond it the reader gets a fresh dump instead.
constexpr size_t kMaxQueuedLen = 16 * 1024 * 1024;
// A dump larger than this (about 500,000 routes) is refused.
constexpr size_t kMaxDumpLen = 64 * 1024 * 1024;
// The dump is repeated when the kernel says that tables changed while it was written.
constexpr int kMaxDumpTries = 5;
constexpr int kReceiveBufferLen = 1024 * 1024;

constexpr uint16_t kDumpTypes[] = {RTM_GETLINK, RTM_GETADDR, RTM_GETROUTE, RTM_GETRULE};

constexpr uint32_t Group(int number) { return 1u << (number - 1); }

double NowMicros() {
  timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return static_cast<double>(now.tv_sec) * 1e6 + static_cast<double>(now.tv_nsec / 1000);
}

bool Fail(SystemFault* fault, const char* step, int number) {
  fault->step = step;
  fault->number = number;
  return false;
}

}  // namespace

NetWatch::~NetWatch() {
  if (fd_ >= 0) close(fd_);
}

bool NetWatch::Open(SystemFault* fault) {
  buffer_.resize(kReadLen);
  fd_ = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  if (fd_ < 0) return Fail(fault, "netlink socket", errno);
  // As much as the system allows; an overrun is noticed and mended.
  setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &kReceiveBufferLen, sizeof kReceiveBufferLen);
  // A dump that the kernel never finishes must not hang us.
  const timeval limit = {2, 0};
  setsockopt(fd_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);

  sockaddr_nl address = {};
  address.nl_family = AF_NETLINK;
  address.nl_groups = Group(RTNLGRP_LINK) | Group(RTNLGRP_IPV4_IFADDR) | Group(RTNLGRP_IPV6_IFADDR) |
                      Group(RTNLGRP_IPV4_ROUTE) | Group(RTNLGRP_IPV6_ROUTE) | Group(RTNLGRP_IPV4_RULE) |
                      Group(RTNLGRP_IPV6_RULE);
  if (bind(fd_, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return Fail(fault, "netlink bind", errno);
  }
  return Dump(fault);
}

bool NetWatch::Dump(SystemFault* fault) {
  for (int attempt = 0; attempt < kMaxDumpTries; attempt++) {
    NetMessages messages;
    messages.snapshot = true;
    bool interrupted = false;
    // A request that comes while we dump is for the dump after this one.
    lost_ = false;
    for (const uint16_t type : kDumpTypes) {
      if (!DumpKind(type, &messages.data, &interrupted, fault)) {
        // Overrun in the middle: begin again.
        if (fault->number != ENOBUFS) {
          lost_ = true;
          return false;
        }
        interrupted = true;
        break;
      }
    }
    messages.time_micros = NowMicros();
    const bool again = interrupted && attempt + 1 < kMaxDumpTries;
    // A dump that is not whole still holds events: a link that came and went meanwhile is told by nothing else.
    if (again) messages.snapshot = false;
    Queue(std::move(messages));
    if (!again) return true;
  }
  lost_ = true;
  return Fail(fault, "netlink dump", EAGAIN);
}

bool NetWatch::DumpKind(uint16_t type, std::vector<uint8_t>* data, bool* interrupted, SystemFault* fault) {
  struct {
    nlmsghdr header;
    ifinfomsg body;
    rtattr mask_header;
    uint32_t mask;
  } request = {};
  request.header.nlmsg_len = NLMSG_LENGTH(sizeof(ifinfomsg));
  request.header.nlmsg_type = type;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
  request.header.nlmsg_seq = ++sequence_;
  request.body.ifi_family = AF_UNSPEC;
  if (type == RTM_GETLINK) {
    // Counters nobody reads are most of a link's message.
    request.mask_header.rta_len = RTA_LENGTH(sizeof(uint32_t));
    request.mask_header.rta_type = IFLA_EXT_MASK;
    request.mask = RTEXT_FILTER_SKIP_STATS;
    request.header.nlmsg_len += RTA_LENGTH(sizeof(uint32_t));
  }
  sockaddr_nl kernel = {};
  kernel.nl_family = AF_NETLINK;
  if (sendto(fd_, &request, request.header.nlmsg_len, 0, reinterpret_cast<const sockaddr*>(&kernel), sizeof kernel) < 0) {
    return Fail(fault, "netlink dump", errno);
  }

  for (;;) {
    const ssize_t received = recv(fd_, buffer_.data(), buffer_.size(), MSG_TRUNC);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0) return Fail(fault, "netlink dump", errno);
    if (static_cast<size_t>(received) > buffer_.size()) return Fail(fault, "netlink dump", ENOBUFS);
    if (data->size() + static_cast<size_t>(received) > kMaxDumpLen) return Fail(fault, "netlink dump", E2BIG);

    // Events stand among the answers; they are kept in the order of their arrival.
    data->insert(data->end(), buffer_.begin(), buffer_.begin() + received);
    size_t left = static_cast<size_t>(received);
    auto* header = reinterpret_cast<const nlmsghdr*>(buffer_.data());
    while (left >= sizeof(nlmsghdr) && header->nlmsg_len >= sizeof(nlmsghdr) && header->nlmsg_len <= left) {
      if (header->nlmsg_seq == sequence_) {
        if ((header->nlmsg_flags & NLM_F_DUMP_INTR) != 0) *interrupted = true;
        // An error here is a kernel without that table (no policy rules): nothing to dump.
        if (header->nlmsg_type == NLMSG_DONE || header->nlmsg_type == NLMSG_ERROR) return true;
      }
      const size_t step = NLMSG_ALIGN(header->nlmsg_len);
      if (step >= left) break;
      left -= step;
      header = reinterpret_cast<const nlmsghdr*>(reinterpret_cast<const uint8_t*>(header) + step);
    }
  }
}

bool NetWatch::ReadEvents(bool wait) {
  std::unique_lock<std::mutex> reading(read_mutex_, std::defer_lock);
  if (wait) {
    reading.lock();
  } else if (!reading.try_lock()) {
    return false;
  }
  bool queued = false;
  while (!lost_) {
    const ssize_t received = recv(fd_, buffer_.data(), buffer_.size(), MSG_DONTWAIT | MSG_TRUNC);
    if (received < 0 && errno == EINTR) continue;
    if (received < 0 && errno == ENOBUFS) lost_ = true;
    if (received < 0) break;
    if (static_cast<size_t>(received) > buffer_.size()) {
      lost_ = true;
      break;
    }
    NetMessages messages;
    messages.time_micros = NowMicros();
    messages.data.assign(buffer_.begin(), buffer_.begin() + received);
    Queue(std::move(messages));
    queued = true;
  }
  {
    std::lock_guard<std::mutex> guard(mutex_);
    if (queue_overrun_) {
      lost_ = true;
      queue_overrun_ = false;
      queue_.clear();
      queued_len_ = 0;
    }
  }
  // A dump takes a while: that is for the one who may wait.
  if (!lost_ || !wait) return queued;
  // Should the dump fail, `lost_` stays and the next event tries again.
  SystemFault fault;
  return Dump(&fault) || queued;
}

std::vector<NetMessages> NetWatch::Take() {
  std::lock_guard<std::mutex> guard(mutex_);
  std::vector<NetMessages> taken;
  taken.swap(queue_);
  queued_len_ = 0;
  return taken;
}

void NetWatch::Queue(NetMessages messages) {
  std::lock_guard<std::mutex> guard(mutex_);
  queued_len_ += messages.data.size();
  if (queued_len_ > kMaxQueuedLen && !messages.snapshot) {
    queue_overrun_ = true;
    return;
  }
  queue_.push_back(std::move(messages));
}

}  // namespace tunnelscope
