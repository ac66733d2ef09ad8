// IP within IP in every wrapping we open: the row is the inner packet's, the encapsulation columns tell the rest.
import { describe, expect, test } from '@jest/globals'
import { ROW_DF, ROW_INNER } from '../../src/model/decoded-batch.ts'
import {
  LAYER_ARP,
  LAYER_DNS,
  LAYER_ERSPAN,
  LAYER_FRAGMENT,
  LAYER_GENEVE,
  LAYER_GRE,
  LAYER_GTP,
  LAYER_IPV4,
  LAYER_IPV6,
  LAYER_L2TP,
  LAYER_TEREDO,
  LAYER_UDP,
  LAYER_VXLAN,
} from '../../src/model/layer.ts'
import { FAULT_ENCAPSULATION_DEPTH, FAULT_GRE_VERSION, FAULT_IP_VERSION } from '../../src/model/malformed.ts'
import {
  ascii,
  type Bytes,
  be16,
  be32,
  concat,
  decodeOne,
  dnsQuery,
  ethernet,
  ipv4,
  ipv6,
  udp,
} from './build-packet.ts'

const query = udp(1111, 53, dnsQuery(9, 'www.example.com'))
const in4 = ipv4(17, query, { src: '10.0.0.1', dst: '10.0.0.2' })
const in6 = ipv6(17, query, { src: 'fd00::1', dst: 'fd00::2' })
const outer = (protocol: number, payload: Bytes) => ipv4(protocol, payload, { dontFragment: true, id: 5 })
const gre = (flags: number, protocol: number, ...rest: (Bytes | number[])[]) =>
  outer(47, concat(be16(flags), be16(protocol), ...rest))
const word = [0, 0, 0, 0]
const vxlan = (frame: Bytes, flags = 8) => concat(flags, 0, 0, 0, 0, 0, 42, 0, frame)
const vxlanGpe = (next: number, data: Bytes) => concat([0x0c, 0, 0, next, 0, 0, 42, 0], data)
const geneve = (protocol: number, payload: Bytes, options: number[] = []) =>
  concat(options.length / 4, 0, be16(protocol), 0, 0, 42, 0, options, payload)
const gtp = (flags: number, length: number, payload: Bytes) => concat(0x30 | flags, 255, be16(length), be32(7), payload)
const authentication = concat(0, 1, 2, 3, [1, 2], [1, 2, 3], new Uint8Array(9))
const origin = [0, 0, 1, 2, 3, 4, 5, 6]

const tunnels: [name: string, packet: Bytes, wrapper: number, version: number][] = [
  ['IPIP', outer(4, in4), LAYER_IPV4, 4],
  ['6in4', outer(41, in6), LAYER_IPV4, 6],
  ['4in6', ipv6(4, in4), LAYER_IPV6, 4],
  ['6in6', ipv6(41, in6), LAYER_IPV6, 6],
  ['GRE', gre(0, 0x0800, in4), LAYER_GRE, 4],
  ['GRE with IPv6', gre(0, 0x86dd, in6), LAYER_GRE, 6],
  ['GRE with checksum, key and sequence', gre(0xb000, 0x0800, word, word, word, in4), LAYER_GRE, 4],
  ['GRE with source routes', gre(0x4000, 0x0800, word, [0, 2, 0, 4, 1, 2, 3, 4], word, in4), LAYER_GRE, 4],
  ['GRE with Ethernet', gre(0, 0x6558, ethernet(0x86dd, in6)), LAYER_GRE, 6],
  ['PPTP', gre(0x3001, 0x880b, be16(in4.length + 2), be16(1), word, be16(0x21), in4), LAYER_GRE, 4],
  [
    'PPTP with acknowledgment',
    gre(0x3081, 0x880b, be16(in4.length + 4), be16(1), word, word, [0xff, 3, 0, 0x21], in4),
    LAYER_GRE,
    4,
  ],
  ['VXLAN', outer(17, udp(50_000, 4789, vxlan(ethernet(0x0800, in4)))), LAYER_VXLAN, 4],
  [
    'VXLAN with group policy, Linux port',
    outer(17, udp(50_000, 8472, vxlan(ethernet(0x86dd, in6), 0x88))),
    LAYER_VXLAN,
    6,
  ],
  ['Geneve with Ethernet', outer(17, udp(50_000, 6081, geneve(0x6558, ethernet(0x0800, in4)))), LAYER_GENEVE, 4],
  [
    'Geneve with IP and options',
    outer(17, udp(50_000, 6081, geneve(0x86dd, in6, [0, 0, 0, 0, 0, 0, 0, 0]))),
    LAYER_GENEVE,
    6,
  ],
  [
    'VXLAN with its protocol extension, Ethernet',
    outer(17, udp(50_000, 4789, vxlanGpe(3, ethernet(0x0800, in4)))),
    LAYER_VXLAN,
    4,
  ],
  ['VXLAN with its protocol extension, IPv6', outer(17, udp(50_000, 4790, vxlanGpe(2, in6))), LAYER_VXLAN, 6],
  ['ERSPAN type I', gre(0, 0x88be, ethernet(0x0800, in4)), LAYER_GRE, 4],
  ['ERSPAN type II', gre(0x1000, 0x88be, word, word, word, ethernet(0x0800, in4)), LAYER_ERSPAN, 4],
  ['ERSPAN type III', gre(0x1000, 0x22eb, word, new Uint8Array(12), ethernet(0x86dd, in6)), LAYER_ERSPAN, 6],
  [
    'ERSPAN type III with its option',
    gre(0x1000, 0x22eb, word, new Uint8Array(11), [1], word, word, ethernet(0x0800, in4)),
    LAYER_ERSPAN,
    4,
  ],
  ['L2TP', outer(17, udp(1701, 1701, concat(be16(0x0002), word, be16(0x0021), in4))), LAYER_L2TP, 4],
  [
    'L2TP with length, sequence numbers and offset',
    outer(
      17,
      udp(50_000, 1701, concat(be16(0x4a02), be16(in6.length + 18), word, word, be16(2), be16(0), be16(0x0057), in6)),
    ),
    LAYER_L2TP,
    6,
  ],
  ['Teredo', outer(17, udp(3544, 50_000, in6)), LAYER_TEREDO, 6],
  ['Teredo with both indications', outer(17, udp(50_000, 3544, concat(authentication, origin, in6))), LAYER_TEREDO, 6],
  ['GTP-U', outer(17, udp(2152, 2152, gtp(0, in4.length, in4))), LAYER_GTP, 4],
  [
    'GTP-U with an extension header',
    outer(17, udp(2152, 2152, gtp(4, in6.length + 8, concat(0, 0, 0, 0x85, 1, 0, 0, 0, in6)))),
    LAYER_GTP,
    6,
  ],
]

describe('tunnels', () => {
  test.each(tunnels)('%s is opened', (_name, packet, wrapper, version) => {
    const framed = decodeOne(ethernet(packet[0]! >> 4 === 4 ? 0x0800 : 0x86dd, packet))
    const raw = decodeOne(packet, 101)
    expect(raw.layer[0]).toBe(LAYER_DNS)
    expect([raw.ipVersion[0], raw.srcPort[0], raw.dstPort[0], raw.dnsId[0]]).toEqual([version, 1111, 53, 9])
    expect([raw.depth[0], raw.outerLayer[0], raw.outerIpAt[0]]).toEqual([1, wrapper, 0])
    expect(raw.ipAt[0]).toBe(packet.length - (version === 4 ? in4 : in6).length)
    // The outer packet's DF and id are not the inner one's.
    expect(raw.flags[0]! & (ROW_INNER | ROW_DF)).toBe(ROW_INNER)
    expect(raw.fault[0]).toBe(0)
    expect([framed.layer[0], framed.outerIpAt[0], framed.ipAt[0]]).toEqual([LAYER_DNS, 14, raw.ipAt[0]! + 14])
  })

  test('a tunnel without an IP packet in it leaves the row to the outer one', () => {
    const arp = decodeOne(outer(17, udp(1, 4789, vxlan(ethernet(0x0806, new Uint8Array(28))))), 101)
    expect([arp.layer[0], arp.depth[0], arp.outerLayer[0], arp.dstPort[0]]).toEqual([LAYER_ARP, 0, 0, 4789])
    const other = decodeOne(gre(0, 0x88b5, ascii('experiment')), 101)
    expect([other.unknown[0], other.unknownNumber[0], other.layer[0], other.depth[0]]).toEqual([
      1,
      0x88b5,
      LAYER_GRE,
      0,
    ])
    const acknowledgment = decodeOne(gre(0x2081, 0x880b, be16(0), be16(1), word), 101)
    expect([acknowledgment.layer[0], acknowledgment.unknown[0], acknowledgment.fault[0]]).toEqual([LAYER_GRE, 0, 0])
  })

  test('an inner packet that is broken leaves the row to the outer one', () => {
    const out = decodeOne(outer(4, concat(0x55, new Uint8Array(30))), 101)
    expect([out.fault[0], out.faultAt[0], out.ipAt[0], out.depth[0]]).toEqual([FAULT_IP_VERSION, 20, 0, 0])
  })

  test.each<[string, Bytes]>([
    ['VXLAN without its flag', udp(1, 4789, vxlan(ethernet(0x0800, in4), 0))],
    ['VXLAN with an extension that is not IP or Ethernet', udp(1, 4789, vxlanGpe(4, in4))],
    ['an L2TP control message', udp(1, 1701, concat(be16(0xc802), be16(12), word, word))],
    ['L2TP of version 3', udp(1, 1701, concat(be16(0x0003), word, be16(0x0021), in4))],
    ['Geneve of version 1', udp(1, 6081, concat(0x40, geneve(0x0800, in4).slice(1)))],
    ['Teredo whose IPv6 does not fill the datagram', udp(1, 3544, concat(in6, 0))],
    ['GTP that promises more than there is', udp(1, 2152, gtp(0, 500, in4))],
    ['a GTP echo', udp(1, 2152, concat(0x32, 1, be16(4), be32(0), word))],
  ])('%s stays opaque', (_name, datagram) => {
    const out = decodeOne(outer(17, datagram), 101)
    expect([out.layer[0], out.depth[0], out.fault[0]]).toEqual([LAYER_UDP, 0, 0])
  })

  test.each([2, 7, 1])('GRE version %i with an EtherType is a fault', (version) => {
    expect(decodeOne(gre(version, 0x0800, in4), 101).fault[0]).toBe(FAULT_GRE_VERSION)
  })

  test('a fragment inside a tunnel is a fragment of the inner datagram', () => {
    const out = decodeOne(outer(4, ipv4(17, query, { moreFragments: true, id: 77 })), 101)
    expect([out.layer[0], out.ipId[0], out.srcPort[0], out.depth[0]]).toEqual([LAYER_FRAGMENT, 77, 1111, 1])
  })

  test('four tunnels are followed, a fifth is a fault and the row stays with the fourth', () => {
    const nested = (depth: number): Bytes => (depth === 0 ? in4 : ipv4(4, nested(depth - 1), { id: depth }))
    const four = decodeOne(nested(4), 101)
    expect([four.depth[0], four.layer[0], four.outerIpAt[0], four.fault[0]]).toEqual([4, LAYER_DNS, 0, 0])
    const five = decodeOne(nested(5), 101)
    expect([five.depth[0], five.fault[0], five.ipAt[0], five.ipId[0]]).toEqual([4, FAULT_ENCAPSULATION_DEPTH, 80, 1])
    expect(decodeOne(nested(40), 101).depth[0]).toBe(4)
  })
})
