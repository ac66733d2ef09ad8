import { describe, expect, test } from '@jest/globals'
import { ROW_ATOMIC_FRAGMENT, ROW_FRAGMENT, ROW_MF, ROW_OFFLOAD_LENGTH } from '../../src/model/decoded-batch.ts'
import { LAYER_FRAGMENT, LAYER_IPV6, LAYER_TCP, LAYER_UDP } from '../../src/model/layer.ts'
import {
  FAULT_FRAGMENT_RANGE,
  FAULT_IP_VERSION,
  FAULT_IPV6_EXTENSION_CHAIN,
  FAULT_IPV6_PAYLOAD_LENGTH,
} from '../../src/model/malformed.ts'
import {
  ascii,
  type Bytes,
  be32,
  concat,
  decodeOne,
  ethernet,
  extension,
  fragmentHeader,
  ipv4,
  ipv6,
  tcp,
  udp,
} from './build-packet.ts'

const datagram = udp(1111, 2222, ascii('payload!'))

describe('IPv6', () => {
  test('header fields become columns', () => {
    const out = decodeOne(ethernet(0x86dd, concat(ipv6(17, datagram, { hopLimit: 9 }), [1, 2, 3])))
    expect([...out.addresses]).toEqual([0x20010db8, 0, 0, 1, 0x20010db8, 0, 0, 2])
    expect([out.ipVersion[0], out.ttl[0], out.ipProtocol[0], out.ipLen[0]]).toEqual([6, 9, 17, 56])
    expect([out.ipAt[0], out.transportAt[0], out.payloadWireLen[0], out.fault[0]]).toEqual([14, 54, 8, 0])
  })

  test('all extension headers are walked', () => {
    // AH counts in other units than its neighbours: 16 bytes are length 2.
    const ah = concat(
      60,
      2,
      new Uint8Array(14),
      extension(135, [1, 4], extension(140, [], extension(17, [], datagram))),
    )
    const out = decodeOne(ipv6(0, extension(60, [1, 4], extension(43, [1, 4], extension(51, [0], ah)))), 229)
    expect([out.layer[0], out.ipProtocol[0], out.dstPort[0], out.fault[0]]).toEqual([LAYER_UDP, 17, 2222, 0])
  })

  test('a message of mobility or HIP without a next header is counted, no next header is nothing', () => {
    const mobility = decodeOne(ipv6(135, extension(59, [], new Uint8Array(0))), 229)
    expect([mobility.unknown[0], mobility.unknownNumber[0], mobility.ipProtocol[0]]).toEqual([1, 135, 135])
    const none = decodeOne(ipv6(59, ascii('ignored')), 229)
    expect([none.unknown[0], none.fault[0], none.layer[0], none.ipProtocol[0]]).toEqual([0, 0, LAYER_IPV6, 59])
  })

  test('a chain that does not end is a fault, ten headers are not', () => {
    const chain = (count: number): Bytes =>
      count === 0 ? datagram : extension(count === 1 ? 17 : 60, [], chain(count - 1))
    expect(decodeOne(ipv6(60, chain(10)), 229).dstPort[0]).toBe(2222)
    const out = decodeOne(ipv6(60, chain(11)), 229)
    expect([out.fault[0], out.faultAt[0], out.dstPort[0]]).toEqual([FAULT_IPV6_EXTENSION_CHAIN, 120, 0])
  })

  test('a header longer than the packet is a fault', () => {
    const out = decodeOne(ipv6(60, concat(17, 200, new Uint8Array(14))), 229)
    expect([out.fault[0], out.faultAt[0]]).toEqual([FAULT_IPV6_EXTENSION_CHAIN, 40])
  })

  test('a payload length beyond the frame is a fault, the rest is decoded', () => {
    const out = decodeOne(ethernet(0x86dd, ipv6(17, datagram, { payloadLen: 200 })))
    expect([out.fault[0], out.faultAt[0], out.dstPort[0], out.ipLen[0]]).toEqual([
      FAULT_IPV6_PAYLOAD_LENGTH,
      54,
      2222,
      240,
    ])
  })

  test('version 4 is a fault', () => {
    expect(decodeOne(ethernet(0x86dd, concat(ipv4(17, datagram), new Uint8Array(40)))).fault[0]).toBe(FAULT_IP_VERSION)
  })

  test('jumbograms: the hop-by-hop option has the length', () => {
    const big = tcp(1, 2, new Uint8Array(70_000))
    const hop = extension(6, [0xc2, 4, ...be32(8 + big.length)], big)
    const out = decodeOne(concat(ipv6(0, hop, { payloadLen: 0 }), [9, 9, 9]), 229)
    expect([out.layer[0], out.ipLen[0], out.payloadWireLen[0], out.fault[0]]).toEqual([
      LAYER_TCP,
      40 + hop.length,
      70_000,
      0,
    ])
    expect(out.flags[0]! & ROW_OFFLOAD_LENGTH).toBe(0)
    const lying = decodeOne(ipv6(0, extension(6, [0xc2, 4, ...be32(1_000_000)], big), { payloadLen: 0 }), 229)
    expect([lying.fault[0], lying.layer[0]]).toEqual([FAULT_IPV6_PAYLOAD_LENGTH, LAYER_TCP])
  })

  test('a payload length of 0 without the option is offload', () => {
    const out = decodeOne(ipv6(6, tcp(1, 2, new Uint8Array(3000)), { payloadLen: 0 }), 229)
    expect([out.flags[0], out.ipLen[0], out.payloadWireLen[0]]).toEqual([ROW_OFFLOAD_LENGTH, 3060, 3000])
  })

  test('fragments: the first shows the ports, no other does', () => {
    const first = decodeOne(ipv6(44, fragmentHeader(17, 0, true, 0xdeadbeef, datagram)), 229)
    expect(first.flags[0]).toBe(ROW_FRAGMENT | ROW_MF)
    expect([first.layer[0], first.ipId[0], first.srcPort[0], first.dstPort[0]]).toEqual([
      LAYER_FRAGMENT,
      0xdeadbeef,
      1111,
      2222,
    ])
    expect([first.payloadAt[0], first.payloadWireLen[0], first.ipProtocol[0]]).toEqual([48, 16, 17])
    const last = decodeOne(ipv6(44, fragmentHeader(17, 1448, false, 1, datagram)), 229)
    expect([last.flags[0], last.fragmentOffset[0], last.srcPort[0]]).toEqual([ROW_FRAGMENT, 1448, 0])
  })

  test('an atomic fragment is a whole packet', () => {
    const out = decodeOne(ipv6(44, fragmentHeader(17, 0, false, 5, datagram)), 229)
    expect([out.flags[0], out.layer[0], out.dstPort[0], out.ipId[0]]).toEqual([ROW_ATOMIC_FRAGMENT, LAYER_UDP, 2222, 5])
  })

  test('a fragment that is not the last has a multiple of 8 bytes', () => {
    const odd = decodeOne(ipv6(44, fragmentHeader(17, 0, true, 5, new Uint8Array(13))), 229)
    expect([odd.fault[0], odd.layer[0]]).toEqual([FAULT_FRAGMENT_RANGE, LAYER_FRAGMENT])
    expect(decodeOne(ipv6(44, fragmentHeader(17, 8, false, 5, new Uint8Array(13))), 229).fault[0]).toBe(0)
  })

  test('a fragment header in IPv4 is read as Wireshark does', () => {
    const out = decodeOne(ipv4(44, fragmentHeader(17, 8, true, 77, new Uint8Array(16))), 101)
    expect([out.layer[0], out.ipVersion[0], out.ipId[0], out.fragmentOffset[0]]).toEqual([LAYER_FRAGMENT, 4, 77, 8])
  })
})
