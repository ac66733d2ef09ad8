import { describe, expect, test } from '@jest/globals'
import { ROW_CUT, ROW_DF, ROW_FRAGMENT, ROW_MF, ROW_OFFLOAD_LENGTH } from '../../src/model/decoded-batch.ts'
import { LAYER_FRAGMENT, LAYER_IPV4, LAYER_RAW_IP, LAYER_TCP, LAYER_UDP } from '../../src/model/layer.ts'
import {
  FAULT_FRAGMENT_RANGE,
  FAULT_IP_VERSION,
  FAULT_IPV4_HEADER_LENGTH,
  FAULT_IPV4_TOTAL_LENGTH,
  FAULT_TRUNCATED,
} from '../../src/model/malformed.ts'
import { ascii, concat, decodeOne, ethernet, ipv4, ipv6, tcp, udp } from './build-packet.ts'

const datagram = udp(1111, 2222, ascii('payload!'))

describe('IPv4', () => {
  test('header fields become columns, addresses are mapped', () => {
    const out = decodeOne(
      ethernet(0x0800, ipv4(17, datagram, { ttl: 33, id: 0xbeef, dontFragment: true, options: [1, 1, 1, 0] })),
    )
    expect([...out.addresses]).toEqual([0, 0, 0xffff, 0xc0000201, 0, 0, 0xffff, 0xc6336402])
    expect([out.ipVersion[0], out.ttl[0], out.ipId[0], out.ipProtocol[0]]).toEqual([4, 33, 0xbeef, 17])
    expect([out.ipAt[0], out.ipLen[0], out.transportAt[0]]).toEqual([14, 40, 38])
    expect(out.flags[0]).toBe(ROW_DF)
    expect(out.layer[0]).toBe(LAYER_UDP)
  })

  test('a total length of 0 is offload: the frame tells', () => {
    const out = decodeOne(ipv4(6, tcp(1, 2, new Uint8Array(3000)), { totalLen: 0 }), 101)
    expect(out.flags[0]).toBe(ROW_OFFLOAD_LENGTH)
    expect([out.ipLen[0], out.payloadWireLen[0], out.fault[0]]).toEqual([3040, 3000, 0])
  })

  test('a total length beyond the frame is a fault, the rest is decoded', () => {
    const out = decodeOne(ethernet(0x0800, ipv4(17, datagram, { totalLen: 100 })))
    expect([out.fault[0], out.faultAt[0], out.faultLayer[0]]).toEqual([FAULT_IPV4_TOTAL_LENGTH, 14, LAYER_IPV4])
    expect([out.layer[0], out.ipLen[0], out.payloadLen[0]]).toEqual([LAYER_UDP, 100, 8])
  })

  test('a packet cut by the snap length is cut, not malformed', () => {
    const whole = ethernet(0x0800, ipv4(17, datagram))
    const out = decodeOne(whole.slice(0, 36), 1, whole.length)
    expect([out.fault[0], out.flags[0]! & ROW_CUT, out.layer[0]]).toEqual([0, ROW_CUT, LAYER_IPV4])
    const truncated = decodeOne(whole.slice(0, 24))
    expect([truncated.fault[0], truncated.flags[0]! & ROW_CUT]).toEqual([FAULT_TRUNCATED, 0])
  })

  test.each([
    ['version 5', { firstByte: 0x55 }, FAULT_IP_VERSION],
    ['a header of 16 bytes', { firstByte: 0x44 }, FAULT_IPV4_HEADER_LENGTH],
    ['a total length below 20', { totalLen: 19 }, FAULT_IPV4_TOTAL_LENGTH],
    ['a total length below its own header', { totalLen: 22, options: [1, 1, 1, 1] }, FAULT_IPV4_TOTAL_LENGTH],
    ['a header longer than the packet', { firstByte: 0x4f, totalLen: 36 }, FAULT_IPV4_TOTAL_LENGTH],
  ])('%s ends it', (_name, options, fault) => {
    const out = decodeOne(ethernet(0x0800, ipv4(17, datagram, options)))
    expect([out.fault[0], out.srcPort[0]]).toEqual([fault, 0])
  })

  test('version 6 under the EtherType of IPv4 is a fault and still IPv6', () => {
    const out = decodeOne(ethernet(0x0800, ipv6(17, datagram)))
    expect([out.fault[0], out.ipVersion[0], out.dstPort[0]]).toEqual([FAULT_IP_VERSION, 6, 2222])
  })

  test('fragments: the first shows the ports, no other does', () => {
    const first = decodeOne(ipv4(17, datagram, { moreFragments: true, id: 7 }), 101)
    expect(first.flags[0]).toBe(ROW_FRAGMENT | ROW_MF)
    expect([first.layer[0], first.ipId[0], first.fragmentOffset[0]]).toEqual([LAYER_FRAGMENT, 7, 0])
    expect([first.srcPort[0], first.dstPort[0]]).toEqual([1111, 2222])
    expect([first.transportAt[0], first.payloadAt[0], first.payloadLen[0], first.payloadWireLen[0]]).toEqual([
      20, 20, 16, 16,
    ])
    const last = decodeOne(ipv4(17, datagram, { fragmentOffset: 1480 }), 101)
    expect(last.flags[0]).toBe(ROW_FRAGMENT)
    expect([last.layer[0], last.fragmentOffset[0], last.srcPort[0], last.ipProtocol[0]]).toEqual([
      LAYER_FRAGMENT,
      1480,
      0,
      17,
    ])
  })

  test('a fragment that was cut says so', () => {
    const whole = ipv4(17, new Uint8Array(64), { moreFragments: true })
    const out = decodeOne(whole.slice(0, 50), 101, whole.length)
    expect(out.flags[0]! & ROW_CUT).toBe(ROW_CUT)
    expect([out.payloadLen[0], out.payloadWireLen[0]]).toEqual([30, 64])
  })

  test('a fragment may not reach beyond the longest datagram', () => {
    const within = decodeOne(ipv4(17, new Uint8Array(7), { fragmentOffset: 65_528 }), 101)
    expect([within.fault[0], within.layer[0]]).toEqual([0, LAYER_FRAGMENT])
    const beyond = decodeOne(ipv4(17, new Uint8Array(8), { fragmentOffset: 65_528 }), 101)
    expect([beyond.fault[0], beyond.layer[0]]).toEqual([FAULT_FRAGMENT_RANGE, LAYER_FRAGMENT])
  })

  test('protocols we do not decode are counted by number and keep their bytes as payload', () => {
    const out = decodeOne(ipv4(50, ascii('esp esp!')), 101)
    expect([out.unknown[0], out.unknownNumber[0], out.layer[0], out.ipProtocol[0]]).toEqual([1, 50, LAYER_IPV4, 50])
    expect([out.payloadAt[0], out.payloadLen[0], out.payloadWireLen[0]]).toEqual([20, 8, 8])
  })

  test('AH is passed through, hop-by-hop is no header of IPv4', () => {
    const authentication = concat(6, 4, new Uint8Array(22), tcp(5, 6, new Uint8Array(0)))
    const out = decodeOne(ipv4(51, authentication), 101)
    expect([out.layer[0], out.ipProtocol[0], out.dstPort[0], out.transportAt[0]]).toEqual([LAYER_TCP, 6, 6, 44])
    expect(decodeOne(ipv4(0, datagram), 101).unknownNumber[0]).toBe(0)
    expect(decodeOne(ipv4(0, datagram), 101).unknown[0]).toBe(1)
  })

  test('an empty frame is malformed', () => {
    expect(decodeOne(new Uint8Array(0), 101).faultLayer[0]).toBe(LAYER_RAW_IP)
    expect(decodeOne(new Uint8Array(0), 101).fault[0]).toBe(FAULT_TRUNCATED)
  })
})
