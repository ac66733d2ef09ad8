// One sound packet of every kind the decoders know, for tests that cut, mutate or repeat packets.
import {
  ascii,
  type Bytes,
  be16,
  be32,
  concat,
  dnsQuery,
  ethernet,
  extension,
  fragmentHeader,
  icmp,
  ipv4,
  ipv6,
  le32,
  tcp,
  udp,
  vlanTag,
} from './build-packet.ts'

export interface SamplePacket {
  name: string
  linkType: number
  bytes: Bytes
}

const query = udp(1111, 53, dnsQuery(9, 'www.example.com'))
const in4 = ipv4(17, query, { dontFragment: true })
const in6 = ipv6(17, query)
const syn = tcp(40_000, 443, ascii(''), {
  flags: 2,
  options: [2, 4, 5, 180, 4, 2, 8, 10, ...be32(1), ...be32(0), 1, 3, 3, 7],
})
const sack = tcp(40_000, 443, ascii('data'), { options: [1, 1, 5, 18, ...be32(1), ...be32(2), ...be32(3), ...be32(4)] })
const snap = concat([0xaa, 0xaa, 3, 0, 0, 0], be16(0x0800), in4)
const label = concat([0, 0x10, 1, 64], in4)
const pppoe = concat(0x11, 0, be16(7), be16(in4.length + 2), be16(0x0021), in4)
const cookedAddress = [2, 0, 0, 0, 0, 1, 0, 0]
const word = [0, 0, 0, 0]
const outer = (protocol: number, payload: Bytes) => ethernet(0x0800, ipv4(protocol, payload))
const inUdp = (port: number, ...payload: (Bytes | number[])[]) => outer(17, udp(50_000, port, concat(...payload)))
const chain = extension(60, [1, 4], extension(43, [1, 4], extension(51, [], concat(17, 2, new Uint8Array(14), query))))

export const samplePackets: readonly SamplePacket[] = (
  [
    ['DNS over IPv4', 1, ethernet(0x0800, in4)],
    ['DNS over IPv6', 1, ethernet(0x86dd, in6)],
    ['SYN with options', 1, ethernet(0x0800, ipv4(6, syn, { options: [1, 1, 1, 0] }))],
    ['segment with SACK', 1, ethernet(0x86dd, ipv6(6, sack))],
    ['QinQ', 1, ethernet(0x88a8, vlanTag(5, 0x8100, vlanTag(6, 0x0800, in4)))],
    ['SNAP', 1, ethernet(snap.length, snap)],
    ['MPLS', 1, ethernet(0x8847, concat([0, 0x10, 0, 64], label))],
    ['PPPoE', 1, ethernet(0x8864, pppoe)],
    ['PPPoE link type', 51, pppoe],
    ['NULL', 0, concat(le32(2), in4)],
    ['LOOP', 108, concat(be32(28), in6)],
    ['RAW', 101, in6],
    ['SLL', 113, concat(be16(4), be16(1), be16(6), cookedAddress, be16(0x8100), vlanTag(5, 0x0800, in4))],
    ['SLL2', 276, concat(be16(0x8100), [0, 0], be32(3), be16(1), 4, 6, cookedAddress, in6)],
    ['PPP', 9, concat([0xff, 3, 0, 0x21], in4)],
    ['PPP with direction', 204, concat(1, 0x21, in4)],
    ['Cisco HDLC', 104, concat([0x0f, 0, 8, 0], in4)],
    ['PKTAP', 258, concat(le32(108), le32(1), le32(12), new Uint8Array(24), le32(2), new Uint8Array(68), in6)],
    ['NFLOG', 239, concat([2, 0, 0, 0], [6, 0, 10, 0], [1, 0, 0, 0], [4 + in4.length, 0, 9, 0], in4)],
    [
      'radiotap',
      127,
      concat([0, 0, 8, 0], word, [0x88, 0x83, 0, 0], [2, 0, 0, 0, 0, 1], new Uint8Array(20), [0, 0], word, snap),
    ],
    ['ARCnet', 129, concat([1, 2, 0, 0, 0xd4, 0, 0, 7], in4)],
    ['extension headers', 229, ipv6(0, chain)],
    ['jumbogram', 229, ipv6(0, extension(17, [0xc2, 4, ...be32(8 + query.length)], query), { payloadLen: 0 })],
    ['IPv4 fragment', 1, ethernet(0x0800, ipv4(17, query, { moreFragments: true }))],
    ['IPv6 fragment', 1, ethernet(0x86dd, ipv6(44, fragmentHeader(17, 1448, false, 5, query)))],
    ['ICMP error', 1, ethernet(0x0800, ipv4(1, icmp(3, 4, 1420, ipv4(6, syn))))],
    ['ICMPv6 error', 1, ethernet(0x86dd, ipv6(58, icmp(2, 0, 1280, ipv6(6, sack))))],
    ['ESP', 1, outer(50, ascii('sixteen bytes ..'))],
    ['AH in IPv4', 1, outer(51, concat(17, 2, new Uint8Array(14), query))],
    ['IPIP in 6in4', 1, outer(41, ipv6(4, in4))],
    [
      'GRE',
      1,
      outer(47, concat(be16(0xf000), be16(0x6558), word, word, word, [0, 2, 0, 4], word, word, ethernet(0x0800, in4))),
    ],
    [
      'PPTP',
      1,
      outer(47, concat(be16(0x3081), be16(0x880b), be16(in4.length + 2), be16(1), word, word, be16(0x21), in4)),
    ],
    ['VXLAN', 1, inUdp(4789, [8, 0, 0, 0, 0, 0, 42, 0], ethernet(0x0800, in4))],
    [
      'ERSPAN type III',
      1,
      outer(47, concat(be16(0x1000), be16(0x22eb), word, new Uint8Array(11), [1], word, word, ethernet(0x0800, in4))),
    ],
    ['L2TP', 1, inUdp(1701, [0x4a, 2, 0, in4.length + 18], word, word, [0, 2, 0, 0, 0, 0x21], in4)],
    ['Geneve', 1, inUdp(6081, [1, 0, 0x65, 0x58, 0, 0, 42, 0], word, ethernet(0x86dd, in6))],
    ['Teredo', 1, inUdp(3544, [0, 1, 1, 2], new Uint8Array(12), [0, 0, 1, 2, 3, 4, 5, 6], in6)],
    ['GTP-U', 1, inUdp(2152, [0x34, 255], be16(in4.length + 8), word, [0, 0, 0, 0x85, 1, 0, 0, 0], in4)],
  ] satisfies [string, number, Bytes][]
).map(([name, linkType, bytes]) => ({ name, linkType, bytes }))
