// The addon's parts without JavaScript, under sanitizers. Each check prints what was wrong and makes the program fail.
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <thread>
#include <vector>

#include "bound_socket.h"
#include "fd_watcher.h"
#include "filter_compiler.h"
#include "net_watch.h"
#include "packet_ring.h"

using namespace tunnelscope;

namespace {

int failures = 0;

void Check(bool holds, const char* what) {
  if (holds) return;
  printf("FAILED: %s\n", what);
  failures++;
}

void Pause(int millis) { std::this_thread::sleep_for(std::chrono::milliseconds(millis)); }

template <typename Condition>
bool Eventually(Condition condition) {
  for (int i = 0; i < 400; i++) {
    if (condition()) return true;
    Pause(5);
  }
  return false;
}

void TestWatcher() {
  const int fd = eventfd(0, EFD_NONBLOCK);
  const uint64_t one = 1;
  std::atomic<int> calls{0};
  {
    FdWatcher watcher(fd, false, [&] { calls++; });
    Check(watcher.IsRunning(), "watcher runs");
    Check(write(fd, &one, sizeof one) == sizeof one, "eventfd written");
    Pause(30);
    Check(calls == 0, "not called before Arm()");
    watcher.Arm();
    Check(Eventually([&] { return calls == 1; }), "called once after Arm()");
    Pause(30);
    Check(calls == 1, "not called again without Arm(), though readable");
    watcher.Kick();
    Check(Eventually([&] { return calls == 2; }), "called after Kick()");
    watcher.Stop();
    watcher.Stop();
    watcher.Arm();
    watcher.Kick();
  }
  // Destroyed while it sleeps, many times: the thread ends each time.
  for (int i = 0; i < 200; i++) {
    FdWatcher watcher(fd, false, [&] { calls++; });
    if (i % 2 == 0) watcher.Arm();
  }
  close(fd);
}

void TestFilterCompiler() {
  const CompiledFilter good = CompileFilter("udp port 53");
  if (good.missing) {
    printf("did not run: filter tests, no libpcap on this machine\n");
    return;
  }
  Check(good.error.empty() && good.program.size() > 5, "udp port 53 compiles");
  Check(!CompileFilter("udp port nonsense-port-x").error.empty(), "a wrong expression has an error");
  Check(!CompileFilter("(((").error.empty(), "a syntax error has an error");
  Check(CompileFilter("").error.empty(), "the empty expression accepts everything");
}

bool EnterOwnNetwork() { return unshare(CLONE_NEWNET) == 0; }

// Switches the loopback device on by netlink, as `ip link set lo up` does.
void RaiseLoopback() {
  const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
  struct {
    nlmsghdr header;
    ifinfomsg body;
  } request = {};
  request.header.nlmsg_len = sizeof request;
  request.header.nlmsg_type = RTM_NEWLINK;
  request.header.nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
  request.body.ifi_index = 1;
  request.body.ifi_flags = 1;
  request.body.ifi_change = 1;
  Check(send(fd, &request, sizeof request, 0) == static_cast<ssize_t>(sizeof request), "loopback raised");
  char answer[512];
  Check(recv(fd, answer, sizeof answer, 0) > 0, "kernel answers");
  close(fd);
}

void TestNetWatch() {
  NetWatch watch;
  SystemFault fault;
  Check(watch.Open(&fault), "netlink opens");
  std::vector<NetMessages> first = watch.Take();
  Check(first.size() == 1 && first[0].snapshot && first[0].data.size() > 100, "the first dump is there");
  Check(watch.Take().empty(), "taken once");
  Check(!watch.ReadEvents(true), "nothing happened yet");
  RaiseLoopback();
  Check(Eventually([&] { return watch.ReadEvents(true); }), "the event is read");
  std::vector<NetMessages> events = watch.Take();
  Check(!events.empty() && !events[0].snapshot, "an event, not a dump");
  watch.RequestDump();
  Check(watch.ReadEvents(true), "a dump on request");
  events = watch.Take();
  Check(events.size() == 1 && events[0].snapshot, "the dump is a snapshot");

  // An overrun of the socket: far more events than its buffer holds, nobody reading.
  const int small = 2048;
  setsockopt(watch.fd(), SOL_SOCKET, SO_RCVBUF, &small, sizeof small);
  for (int i = 0; i < 200; i++) {
    const int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
    struct {
      nlmsghdr header;
      ifinfomsg body;
    } request = {};
    request.header.nlmsg_len = sizeof request;
    request.header.nlmsg_type = RTM_NEWLINK;
    request.header.nlmsg_flags = NLM_F_REQUEST;
    request.body.ifi_index = 1;
    request.body.ifi_flags = i % 2;
    request.body.ifi_change = 1;
    if (send(fd, &request, sizeof request, 0) < 0) Check(false, "flap sent");
    close(fd);
  }
  const int large = 1 << 20;
  setsockopt(watch.fd(), SOL_SOCKET, SO_RCVBUF, &large, sizeof large);
  Check(watch.ReadEvents(true), "the overrun is read");
  bool snapshot = false;
  for (const NetMessages& messages : watch.Take()) snapshot = snapshot || messages.snapshot;
  Check(snapshot, "an overrun brings a snapshot");
}

RingOptions SmallRing() {
  RingOptions options;
  options.ring_len = 1 << 20;
  options.block_len = 64 << 10;
  options.block_timeout_millis = 4;
  return options;
}

void SendDatagrams(int count) {
  const int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  sockaddr_in to = {};
  to.sin_family = AF_INET;
  to.sin_port = htons(9);
  to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const std::vector<char> data(1000, 'x');
  for (int i = 0; i < count; i++) {
    sendto(fd, data.data(), data.size(), 0, reinterpret_cast<const sockaddr*>(&to), sizeof to);
  }
  close(fd);
}

void TestRing() {
  RaiseLoopback();
  SystemFault fault;
  std::shared_ptr<PacketRing> ring = PacketRing::Open(SmallRing(), &fault);
  Check(ring != nullptr, "ring opens");
  if (ring == nullptr) return;
  Check(ring->block_count() == 16 && ring->memory_len() == 1 << 20, "ring has its size");
  std::atomic<int> calls{0};
  FdWatcher watcher(ring->fd(), false, [&] { calls++; });
  watcher.Arm();
  SendDatagrams(1);
  Check(Eventually([&] { return calls == 1; }), "woken by a packet");
  auto* block = reinterpret_cast<tpacket_block_desc*>(ring->memory());
  Check((block->hdr.bh1.block_status & TP_STATUS_USER) != 0 && block->hdr.bh1.num_pkts > 0, "the first block is ours");

  // Nobody reads: 1 MiB is soon full, and the rest is counted.
  SendDatagrams(3000);
  Pause(20);
  const RingStatistics before = ring->Statistics();
  Check(before.dropped > 0 && before.received > before.dropped, "drops are counted");
  Check(ring->Statistics().dropped == before.dropped, "reading the counters keeps them");

  watcher.Arm();
  watcher.Stop();
  ring->CloseSocket();
  ring->CloseSocket();
  Check(ring->Statistics().dropped == before.dropped, "counters survive the socket");
  Check(ring->memory()[0] == ring->memory()[0], "memory survives the socket");
  ring->Unmap();
  ring->Unmap();

  // A filter that accepts nothing is in force before the first packet.
  RingOptions closed = SmallRing();
  closed.filter = {{BPF_RET | BPF_K, 0, 0, 0}};
  closed.lock_filter = true;
  ring = PacketRing::Open(closed, &fault);
  SendDatagrams(100);
  Check(ring != nullptr && ring->Statistics().received == 0, "the filter holds");

  RingOptions wrong = SmallRing();
  wrong.filter = {{0xffff, 0, 0, 0}};
  Check(PacketRing::Open(wrong, &fault) == nullptr && strcmp(fault.step, "SO_ATTACH_FILTER") == 0, "a bad filter is told");
  wrong = SmallRing();
  wrong.block_len = 1000;
  Check(PacketRing::Open(wrong, &fault) == nullptr && strcmp(fault.step, "PACKET_RX_RING") == 0, "a bad block is told");
}

void TestBoundSocket() {
  SystemFault fault;
  for (const bool stream : {false, true}) {
    for (const bool ipv6 : {false, true}) {
      const BoundSocket socket = OpenBoundSocket({stream, ipv6, "lo"}, &fault);
      Check(socket.fd >= 0 && socket.port != 0, "a bound socket has a port before anything is sent");
      char name[IFNAMSIZ] = {};
      socklen_t len = sizeof name;
      Check(getsockopt(socket.fd, SOL_SOCKET, SO_BINDTODEVICE, name, &len) == 0 && strcmp(name, "lo") == 0,
            "it is bound to its interface");
      Check((fcntl(socket.fd, F_GETFL) & O_NONBLOCK) != 0, "it never blocks");
      Check((fcntl(socket.fd, F_GETFD) & FD_CLOEXEC) != 0, "no other program inherits it");
      close(socket.fd);
    }
  }
  // The lowest free descriptor is the same again: a refusal leaves none open.
  const int before = dup(STDOUT_FILENO);
  close(before);
  for (const char* name : {"", "nowhere0", "lo-but-far-too-long-for-a-name"}) {
    const BoundSocket refused = OpenBoundSocket({true, false, name}, &fault);
    Check(refused.fd < 0 && strcmp(fault.step, "SO_BINDTODEVICE") == 0 && fault.number == ENODEV,
          "an interface that is not there is told");
  }
  const int after = dup(STDOUT_FILENO);
  close(after);
  Check(before == after, "a refusal leaves no descriptor open");
}

}  // namespace

int main() {
  TestWatcher();
  TestFilterCompiler();
  TestBoundSocket();
  if (EnterOwnNetwork()) {
    TestNetWatch();
    TestRing();
  } else {
    printf("did not run: ring and netlink tests, they need root (errno %d)\n", errno);
  }
  printf(failures == 0 ? "native: all right\n" : "native: %d failed\n", failures);
  return failures == 0 ? 0 : 1;
}
