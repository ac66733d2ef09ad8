// Every way a packet can start: the same UDP datagram behind each link type must give the same row.
import { describe, expect, test } from '@jest/globals'
import { ROW_CUT, ROW_GROUP_ADDRESSED, ROW_RECEIVED, ROW_SENT } from '../../src/model/decoded-batch.ts'
import {
  LAYER_ARCNET,
  LAYER_ARP,
  LAYER_ETHERNET,
  LAYER_HDLC,
  LAYER_LLC,
  LAYER_MPLS,
  LAYER_NFLOG,
  LAYER_PKTAP,
  LAYER_PPP,
  LAYER_PPPOE,
  LAYER_UDP,
  LAYER_WLAN,
} from '../../src/model/layer.ts'
import {
  FAULT_ENCAPSULATION_DEPTH,
  FAULT_ETHERTYPE_LENGTH,
  FAULT_IP_VERSION,
  FAULT_LINK_HEADER,
  FAULT_TRUNCATED,
} from '../../src/model/malformed.ts'
import {
  ascii,
  type Bytes,
  be16,
  be32,
  concat,
  decodeOne,
  ethernet,
  ipv4,
  ipv6,
  le32,
  udp,
  vlanTag,
} from './build-packet.ts'

const payload = ascii('payload!')
const v4 = ipv4(17, udp(1111, 2222, payload))
const v6 = ipv6(17, udp(1111, 2222, payload))
const mac = [2, 0, 0, 0, 0, 1, 0, 0]
const sll = (packetType: number, protocol: number, data: Bytes, hardware = 1) =>
  concat(be16(packetType), be16(hardware), be16(6), mac, be16(protocol), data)
const sll2 = (packetType: number, protocol: number, data: Bytes) =>
  concat(be16(protocol), [0, 0], be32(3), be16(1), packetType, 6, mac, data)
const snap = (type: number, data: Bytes) => concat([0xaa, 0xaa, 3, 0, 0, 0], be16(type), data)
const pppoe = (data: Bytes, length = data.length + 2) => concat(0x11, 0, be16(7), be16(length), be16(0x0021), data)
const mpls = (bottom: boolean, data: Bytes) => concat([0, 0x10, bottom ? 1 : 0, 64], data)
const pktap = (linkType: number, flags: number, data: Bytes) =>
  concat(le32(108), le32(1), le32(linkType), new Uint8Array(24), le32(flags), new Uint8Array(68), data)
const nflog = (family: number, data: Bytes) =>
  concat([family, 0, 0, 0], [8, 0, 1, 0], be32(0), [5, 0, 10, 0], be32(0), [4 + data.length, 0, 9, 0], data)
const wlan = (type: number, flags: number, ...body: (Bytes | number[])[]) =>
  concat([type, flags, 0, 0], [2, 0, 0, 0, 0, 1], new Uint8Array(14), ...body)
const mesh = (addressCount: number) => concat([addressCount, 31], be32(5), new Uint8Array(6 * addressCount))
/** With a timer and two words of present fields; the timer stands at a multiple of eight. */
const radiotap = (flags: number, frame: Bytes) =>
  concat([0, 0, 25, 0], le32(0x8000_0003), le32(0), new Uint8Array(4), new Uint8Array(8), flags, frame)

const carriers: [name: string, linkType: number, bytes: Bytes][] = [
  ['EN10MB', 1, ethernet(0x0800, v4)],
  ['EN10MB, IPv6', 1, ethernet(0x86dd, v6)],
  ['EN10MB with padding after a short packet', 1, ethernet(0x0800, concat(v4, new Uint8Array(10).fill(0xee)))],
  ['VLAN', 1, ethernet(0x8100, vlanTag(5, 0x0800, v4))],
  ['QinQ', 1, ethernet(0x88a8, vlanTag(5, 0x8100, vlanTag(6, 0x0800, v4)))],
  ['QinQ, old number', 1, ethernet(0x9100, vlanTag(5, 0x8100, vlanTag(6, 0x86dd, v6)))],
  ['802.3 with SNAP', 1, ethernet(v4.length + 8, snap(0x0800, v4))],
  ['802.3 with SNAP and trailer', 1, ethernet(v4.length + 8, concat(snap(0x0800, v4), [1, 2, 3, 4]))],
  ['802.3 with LLC for IP', 1, ethernet(v4.length + 3, concat([6, 6, 3], v4))],
  ['VLAN with 802.3', 1, ethernet(0x8100, vlanTag(5, v4.length + 8, snap(0x0800, v4)))],
  ['MPLS, three labels', 1, ethernet(0x8847, mpls(false, mpls(false, mpls(true, v4))))],
  ['MPLS, IPv6', 1, ethernet(0x8848, mpls(true, v6))],
  ['PPPoE', 1, ethernet(0x8864, pppoe(v4))],
  ['PPPoE with trailer', 1, ethernet(0x8864, concat(pppoe(v4), [0, 0, 0, 0]))],
  ['PPPoE link type', 51, pppoe(v4)],
  ['NULL, little-endian', 0, concat(le32(2), v4)],
  ['NULL, big-endian', 0, concat(be32(2), v4)],
  ...[10, 23, 24, 28, 30].map((family): [string, number, Bytes] => [
    `NULL, IPv6 as ${family}`,
    0,
    concat(le32(family), v6),
  ]),
  ['LOOP', 108, concat(be32(2), v4)],
  ['RAW', 101, v4],
  ['RAW, IPv6', 101, v6],
  ['RAW of BSD', 12, v4],
  ['RAW of OpenBSD', 14, v6],
  ['IPV4', 228, v4],
  ['IPV6', 229, v6],
  ['SLL', 113, sll(0, 0x0800, v4)],
  ['SLL, IPv6', 113, sll(0, 0x86dd, v6)],
  ['SLL with VLAN', 113, sll(0, 0x8100, vlanTag(5, 0x0800, v4))],
  ['SLL that says VLAN but starts at IPv4', 113, sll(0, 0x8100, v4)],
  ['SLL that says VLAN but starts at IPv6', 113, sll(0, 0x8100, v6)],
  ['SLL with LLC', 113, sll(0, 4, snap(0x0800, v4))],
  ['SLL2', 276, sll2(0, 0x0800, v4)],
  ['SLL2 that says VLAN but starts at IPv6', 276, sll2(0, 0x8100, v6)],
  ['PPP', 9, concat(be16(0x0021), v4)],
  ['PPP, IPv6', 9, concat(be16(0x0057), v6)],
  ['PPP with compressed protocol', 9, concat(0x21, v4)],
  ['PPP with HDLC framing', 9, concat([0xff, 3, 0, 0x21], v4)],
  ['PPP with MPLS', 9, concat(be16(0x0281), mpls(true, v4))],
  ['PPP in HDLC', 50, concat([0xff, 3, 0, 0x57], v6)],
  ['Cisco HDLC under the PPP link type', 9, concat([0x0f, 0, 8, 0], v4)],
  ['Cisco HDLC under the link type of PPP in HDLC', 50, concat([0x0f, 0, 8, 0], v4)],
  ['PPP with direction', 204, concat(0, [0xff, 3, 0, 0x21], v4)],
  ['Cisco HDLC', 104, concat([0x0f, 0, 8, 0], v4)],
  ['PKTAP with Ethernet', 258, pktap(1, 2, ethernet(0x0800, v4))],
  ['PKTAP with NULL, old number', 149, pktap(0, 1, concat(le32(30), v6))],
  ['PKTAP with RAW', 258, pktap(12, 1, v4)],
  ['NULL that holds a Cisco HDLC header', 0, concat([0x0f, 0, 8, 0], v4)],
  ['NFLOG', 239, nflog(2, v4)],
  ['NFLOG, IPv6 and padding', 239, concat(nflog(10, v6), [0, 0, 0])],
  [
    'NFLOG of a big-endian machine',
    239,
    concat([2, 0, 0, 0], be16(5), be16(10), [7, 0, 0, 0], be16(4 + v4.length), be16(9), v4),
  ],
  ['802.11', 105, wlan(0x08, 0x01, snap(0x0800, v4))],
  ['802.11 with quality of service and a checksum', 105, wlan(0x88, 0x02, [0, 0], snap(0x86dd, v6), be32(0))],
  ['802.11 with quality of service and HT control', 105, wlan(0x88, 0x81, [0, 0], be32(0), snap(0x0800, v4))],
  ['802.11 with four addresses', 105, wlan(0x08, 0x03, new Uint8Array(6), snap(0x0800, v4))],
  ['802.11 within a mesh', 105, wlan(0x88, 0x03, new Uint8Array(6), [0, 1], mesh(0), snap(0x0800, v4))],
  ['802.11 within a mesh, to a group', 105, wlan(0x88, 0x02, [0, 1], mesh(1), snap(0x0800, v4))],
  ['802.11 to a proxy of a mesh', 105, wlan(0x88, 0x03, new Uint8Array(6), [0, 1], mesh(2), snap(0x0800, v4))],
  ['802.11 with an odd count where a mesh has its bit', 105, wlan(0x88, 0x01, [0, 1], snap(0x0800, v4))],
  ['radiotap, padded', 127, radiotap(0x20, wlan(0x88, 0x01, [0, 0], [0, 0], snap(0x0800, v4)))],
  ['radiotap, nothing to pad', 127, radiotap(0x20, wlan(0x08, 0x01, snap(0x0800, v4)))],
  ['radiotap, a checksum at the end', 127, radiotap(0x10, wlan(0x88, 0x01, [0, 0], snap(0x0800, v4), be32(7)))],
  ['radiotap', 127, concat([0, 0, 10, 0], be32(0), [0, 0], wlan(0x08, 0x01, snap(0x0800, v4)))],
  ['ARCnet of Linux', 129, concat([1, 2, 0, 0, 0xd4, 0], be16(7), v4)],
  ['ARCnet of Linux, RFC 1051', 129, concat([1, 2, 0, 0, 0xf0], v4)],
  ['ARCnet of BSD, IPv6', 7, concat([1, 2, 0xc4, 0], be16(7), v6)],
]

describe('link layers', () => {
  test.each(carriers)('%s leads to the datagram', (_name, linkType, bytes) => {
    const out = decodeOne(bytes, linkType)
    expect(out.layer[0]).toBe(LAYER_UDP)
    expect(out.srcPort[0]).toBe(1111)
    expect(out.dstPort[0]).toBe(2222)
    expect(bytes.slice(out.payloadAt[0]!, out.payloadAt[0]! + out.payloadLen[0]!)).toEqual(payload)
    expect(out.payloadWireLen[0]).toBe(8)
    expect([out.fault[0], out.unknown[0], out.depth[0]]).toEqual([0, 0, 0])
  })

  test('the outermost VLAN id is kept', () => {
    expect(decodeOne(ethernet(0x88a8, vlanTag(0x1005, 0x8100, vlanTag(6, 0x0800, v4)))).vlanId[0]).toBe(5)
  })

  test('broadcast, multicast and ARP are addressed to a group', () => {
    const group = (bytes: Bytes, linkType = 1) => (decodeOne(bytes, linkType).flags[0]! & ROW_GROUP_ADDRESSED) !== 0
    expect(group(ethernet(0x0800, v4))).toBe(false)
    expect(group(ethernet(0x0800, v4, [0xff, 0xff, 0xff, 0xff, 0xff, 0xff]))).toBe(true)
    expect(group(sll(1, 0x0800, v4), 113)).toBe(true)
    const arp = decodeOne(ethernet(0x0806, new Uint8Array(28)))
    expect(arp.layer[0]).toBe(LAYER_ARP)
    expect(arp.flags[0]! & ROW_GROUP_ADDRESSED).not.toBe(0)
    expect(arp.unknown[0]).toBe(0)
  })

  test('ARP whose addresses do not fit is malformed, one that was cut is not', () => {
    const arp = concat(be16(1), be16(0x0800), [134, 4], be16(1), new Uint8Array(38))
    const out = decodeOne(ethernet(0x0806, arp))
    expect([out.layer[0], out.fault[0], out.faultAt[0]]).toEqual([LAYER_ARP, FAULT_TRUNCATED, 14])
    const whole = ethernet(0x0806, concat(be16(1), be16(0x0800), [6, 4], be16(1), new Uint8Array(20)))
    expect(decodeOne(whole).fault[0]).toBe(0)
    const cut = decodeOne(whole.subarray(0, 30), 1, whole.length)
    expect([cut.layer[0], cut.fault[0], cut.flags[0]! & ROW_CUT]).toEqual([LAYER_ARP, 0, ROW_CUT])
  })

  test('the link header tells who sent', () => {
    const direction = (bytes: Bytes, linkType: number) =>
      decodeOne(bytes, linkType).flags[0]! & (ROW_SENT | ROW_RECEIVED)
    expect(direction(sll(4, 0x0800, v4), 113)).toBe(ROW_SENT)
    expect(direction(sll(0, 0x0800, v4), 113)).toBe(ROW_RECEIVED)
    expect(direction(sll(3, 0x0800, v4), 113)).toBe(0)
    expect(direction(sll2(4, 0x0800, v4), 276)).toBe(ROW_SENT)
    expect(direction(concat(1, be16(0x21), v4), 204)).toBe(ROW_SENT)
    expect(direction(concat(0, be16(0x21), v4), 204)).toBe(ROW_RECEIVED)
    expect(direction(pktap(12, 2, v4), 258)).toBe(ROW_SENT)
    expect(direction(pktap(12, 1, v4), 258)).toBe(ROW_RECEIVED)
  })

  test.each<[string, number, Bytes, number, number]>([
    ['an EtherType', 1, ethernet(0x88cc, payload), LAYER_ETHERNET, 0x88cc],
    ['a number between length and type', 1, ethernet(0x05ff, payload), LAYER_ETHERNET, 0x05ff],
    ['an LLC service access point', 1, ethernet(8, concat([0x42, 0x42, 3], new Uint8Array(5))), LAYER_LLC, 0x4242],
    ['a PPP protocol', 9, concat(be16(0xc021), payload), LAYER_PPP, 0xc021],
    ['Cisco keepalive', 104, concat([0x8f, 0], be16(0x8035), payload), LAYER_HDLC, 0x8035],
    ['what MPLS carries', 1, ethernet(0x8847, mpls(true, new Uint8Array(8))), LAYER_MPLS, 0],
    ['an encrypted 802.11 frame', 105, wlan(0x08, 0x41, snap(0x0800, v4)), LAYER_WLAN, 0x08],
    ['a damaged 802.11 frame', 127, radiotap(0x40, wlan(0x08, 0x01, snap(0x0800, v4))), LAYER_WLAN, 0x08],
    ['an 802.11 fragment', 105, wlan(0x08, 0x05, snap(0x0800, v4)), LAYER_WLAN, 0x08],
    ['an 802.11 aggregate', 105, wlan(0x88, 0x01, [0x80, 0], snap(0x0800, v4)), LAYER_WLAN, 0x88],
    ['a split ARCnet packet', 129, concat([1, 2, 0, 0, 0xd4, 1], be16(7), v4), LAYER_ARCNET, 0xd4],
    ['a bridged NFLOG packet', 239, nflog(7, v4), LAYER_NFLOG, 7],
    ['a link type', 147, payload, 0, 147],
    ['a link type within PKTAP', 258, pktap(147, 1, payload), LAYER_PKTAP, 147],
  ])('%s we do not know is counted by its number', (_name, linkType, bytes, layer, number) => {
    const out = decodeOne(bytes, linkType)
    expect([out.unknown[0], out.unknownNumber[0], out.layer[0], out.fault[0]]).toEqual([1, number, layer, 0])
  })

  test('netlink in a cooked capture is not taken for IP', () => {
    const out = decodeOne(sll(0, 0x0800, v4, 824), 113)
    expect([out.unknown[0], out.ipVersion[0]]).toEqual([1, 0])
  })

  test('PPPoE discovery carries nothing', () => {
    const out = decodeOne(ethernet(0x8864, concat(0x11, 0x09, be16(0), be16(0))))
    expect([out.layer[0], out.unknown[0], out.fault[0]]).toEqual([LAYER_PPPOE, 0, 0])
  })

  test('a length beyond the frame is a fault and what is there is decoded', () => {
    const long = decodeOne(ethernet(v4.length + 9, snap(0x0800, v4)))
    expect([long.fault[0], long.faultAt[0], long.layer[0]]).toEqual([FAULT_ETHERTYPE_LENGTH, 14, LAYER_UDP])
    const session = decodeOne(ethernet(0x8864, pppoe(v4, v4.length + 3)))
    expect([session.fault[0], session.layer[0]]).toEqual([FAULT_LINK_HEADER, LAYER_UDP])
  })

  test('a beacon, an acknowledgment and a null frame carry nothing', () => {
    for (const type of [0x80, 0x48, 0xc8]) {
      const out = decodeOne(wlan(type, 0), 105)
      expect([out.layer[0], out.unknown[0], out.fault[0]]).toEqual([LAYER_WLAN, 0, 0])
    }
    const acknowledgment = decodeOne(concat([0xd4, 0, 0, 0], new Uint8Array(6)), 105)
    expect([acknowledgment.unknown[0], acknowledgment.fault[0]]).toEqual([0, 0])
  })

  test('NFLOG without a packet, or with an attribute shorter than its header, is a fault', () => {
    const none = decodeOne(concat([2, 0, 0, 0], [8, 0, 1, 0], be32(0)), 239)
    expect([none.layer[0], none.fault[0], none.faultAt[0]]).toEqual([LAYER_NFLOG, FAULT_TRUNCATED, 12])
    const short = decodeOne(concat([2, 0, 0, 0], [8, 0, 1, 0], be32(0), [3, 0, 9, 0], v4), 239)
    expect([short.fault[0], short.faultAt[0]]).toEqual([FAULT_LINK_HEADER, 12])
  })

  test('a raw packet of another version is a fault', () => {
    expect(decodeOne(concat(0x50, v4.slice(1)), 101).fault[0]).toBe(FAULT_IP_VERSION)
  })

  test('a PKTAP header that is longer than the packet, or shorter than itself, is a fault', () => {
    expect(decodeOne(concat(le32(4000), pktap(12, 1, v4).slice(4)), 258).fault[0]).toBe(FAULT_LINK_HEADER)
    expect(decodeOne(concat(le32(8), pktap(12, 1, v4).slice(4)), 258).fault[0]).toBe(FAULT_LINK_HEADER)
  })

  test('endless tags and labels end in a fault, not in time', () => {
    let tags: Bytes = v4
    for (let i = 0; i < 500; i++) tags = vlanTag(i, 0x8100, tags)
    expect(decodeOne(ethernet(0x8100, tags)).fault[0]).toBe(FAULT_ENCAPSULATION_DEPTH)
    let labels: Bytes = v4
    for (let i = 0; i < 500; i++) labels = mpls(false, labels)
    expect(decodeOne(ethernet(0x8847, labels)).fault[0]).toBe(FAULT_ENCAPSULATION_DEPTH)
    let headers: Bytes = v4
    for (let i = 0; i < 200; i++) headers = pktap(258, 1, headers)
    expect(decodeOne(headers, 258).fault[0]).toBe(FAULT_ENCAPSULATION_DEPTH)
  })
})
