// send_packets INTERFACE FILE.pcap LOOPS PACKETS_PER_SECOND (0 = as fast as it goes): sends the packets of a small classic
// pcap file through a mapped transmit ring (AF_PACKET, TPACKET_V2, no queueing discipline). Every packet lies in the ring
// once and is only handed over again, so that the sender takes as little of the machine as it can: it is there to load
// whoever captures. Prints packets, seconds and packets a second.
#include <arpa/inet.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

namespace {

/** The largest frame of the ring, and the smallest that is worth while. */
constexpr unsigned kMaxFrameLen = 2048;
constexpr unsigned kMinFrameLen = 128;
constexpr unsigned kBlockLen = 1 << 16;
/** Where the kernel looks for the packet: behind the header, aligned. */
constexpr unsigned kDataAt = TPACKET2_HDRLEN - sizeof(sockaddr_ll);
/** Packets handed over with one call. */
constexpr unsigned kBatch = 128;

[[noreturn]] void fail(const char* what) {
  perror(what);
  exit(1);
}

double now() {
  timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
}

/** Packets of a little-endian classic pcap file. */
std::vector<std::string> readPackets(const char* path) {
  std::ifstream file(path, std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  std::vector<std::string> packets;
  for (size_t at = 24; at + 16 <= bytes.size();) {
    uint32_t length;
    memcpy(&length, &bytes[at + 8], sizeof length);
    if (length > kMaxFrameLen - kDataAt || at + 16 + length > bytes.size()) break;
    packets.push_back(bytes.substr(at + 16, length));
    at += 16 + length;
  }
  return packets;
}

}  // namespace

int main(int count, char** words) {
  if (count != 5) {
    fprintf(stderr, "usage: send_packets INTERFACE FILE.pcap LOOPS PACKETS_PER_SECOND\n");
    return 2;
  }
  const std::vector<std::string> packets = readPackets(words[2]);
  const uint64_t total = packets.size() * strtoull(words[3], nullptr, 10);
  const double rate = atof(words[4]);
  if (total == 0) {
    fprintf(stderr, "%s: no packets to send\n", words[2]);
    return 2;
  }

  const int fd = socket(AF_PACKET, SOCK_RAW, 0);
  if (fd < 0) fail("socket");
  const int version = TPACKET_V2;
  const int yes = 1;
  if (setsockopt(fd, SOL_PACKET, PACKET_VERSION, &version, sizeof version) != 0) fail("PACKET_VERSION");
  if (setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &yes, sizeof yes) != 0) fail("PACKET_QDISC_BYPASS");
  // A packet that the kernel does not take is left out instead of stopping the ring.
  if (setsockopt(fd, SOL_PACKET, PACKET_LOSS, &yes, sizeof yes) != 0) fail("PACKET_LOSS");
  size_t longest = 0;
  for (const std::string& packet : packets) longest = std::max(longest, packet.size());
  unsigned frameLen = kMinFrameLen;
  while (frameLen < kDataAt + longest) frameLen *= 2;
  const unsigned framesPerBlock = kBlockLen / frameLen;
  const unsigned blocks = static_cast<unsigned>((packets.size() + framesPerBlock - 1) / framesPerBlock);
  const unsigned frames = blocks * framesPerBlock;
  const tpacket_req request = {kBlockLen, blocks, frameLen, frames};
  if (setsockopt(fd, SOL_PACKET, PACKET_TX_RING, &request, sizeof request) != 0) fail("PACKET_TX_RING");
  const size_t ringLen = static_cast<size_t>(blocks) * kBlockLen;
  void* mapped = mmap(nullptr, ringLen, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, 0);
  if (mapped == MAP_FAILED) fail("mmap");
  auto* ring = static_cast<uint8_t*>(mapped);
  sockaddr_ll address = {};
  address.sll_family = AF_PACKET;
  address.sll_protocol = htons(ETH_P_ALL);
  address.sll_ifindex = static_cast<int>(if_nametoindex(words[1]));
  if (bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0) fail(words[1]);

  auto frameAt = [&](unsigned frame) { return reinterpret_cast<tpacket2_hdr*>(ring + static_cast<size_t>(frame) * frameLen); };
  for (unsigned frame = 0; frame < frames; frame++) {
    const std::string& packet = packets[frame % packets.size()];
    frameAt(frame)->tp_len = static_cast<uint32_t>(packet.size());
    memcpy(ring + static_cast<size_t>(frame) * frameLen + kDataAt, packet.data(), packet.size());
  }

  const double start = now();
  unsigned frame = 0;
  for (uint64_t sent = 0; sent < total;) {
    unsigned batch = 0;
    for (; batch < kBatch && sent + batch < total; batch++) {
      tpacket2_hdr* header = frameAt(frame);
      if (__atomic_load_n(&header->tp_status, __ATOMIC_ACQUIRE) != TP_STATUS_AVAILABLE) break;
      __atomic_store_n(&header->tp_status, TP_STATUS_SEND_REQUEST, __ATOMIC_RELEASE);
      frame = frame + 1 == frames ? 0 : frame + 1;
    }
    if (batch == 0) {
      pollfd waiting = {fd, POLLOUT, 0};
      poll(&waiting, 1, 1);
      continue;
    }
    if (send(fd, nullptr, 0, 0) < 0) fail("send");
    sent += batch;
    if (rate <= 0) continue;
    const double early = start + static_cast<double>(sent) / rate - now();
    if (early > 0) usleep(static_cast<useconds_t>(early * 1e6));
  }
  const double seconds = now() - start;
  printf("sent %llu packets in %.2f s, %.0f pps\n", static_cast<unsigned long long>(total), seconds,
         static_cast<double>(total) / seconds);
  close(fd);
  return 0;
}
