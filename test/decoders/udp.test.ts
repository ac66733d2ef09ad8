import { describe, expect, test } from '@jest/globals'
import { LAYER_DNS, LAYER_IPV4, LAYER_UDP } from '../../src/model/layer.ts'
import { FAULT_TRUNCATED, FAULT_UDP_LENGTH } from '../../src/model/malformed.ts'
import { ascii, be16, be32, concat, decodeOne, dnsQuery, extension, ipv4, ipv6, udp } from './build-packet.ts'

const payload = ascii('payload!')

describe('UDP', () => {
  test('ports and payload', () => {
    const out = decodeOne(ipv4(17, concat(udp(1, 65_535, payload), [7, 7])), 101)
    expect([out.layer[0], out.srcPort[0], out.dstPort[0]]).toEqual([LAYER_UDP, 1, 65_535])
    expect([out.payloadAt[0], out.payloadLen[0], out.payloadWireLen[0], out.fault[0]]).toEqual([28, 8, 8, 0])
  })

  test('a length beyond the IP packet is a fault, the rest is decoded', () => {
    const out = decodeOne(ipv4(17, udp(1, 53, dnsQuery(1, 'a.example'), 500)), 101)
    expect([out.fault[0], out.faultAt[0], out.layer[0]]).toEqual([FAULT_UDP_LENGTH, 20, LAYER_DNS])
  })

  test.each([0, 7])('a length of %i in an ordinary packet ends it', (length) => {
    const out = decodeOne(ipv4(17, udp(1, 53, dnsQuery(1, 'a.example'), length)), 101)
    expect([out.fault[0], out.srcPort[0], out.payloadLen[0]]).toEqual([FAULT_UDP_LENGTH, 1, 0])
  })

  test('a length of 0 means "to the end" before segmentation offload and in jumbograms', () => {
    const offload = decodeOne(ipv4(17, udp(1, 2, payload, 0), { totalLen: 0 }), 101)
    expect([offload.fault[0], offload.payloadWireLen[0]]).toEqual([0, 8])
    const big = udp(1, 2, new Uint8Array(70_000), 0)
    const jumbo = decodeOne(ipv6(0, extension(17, [0xc2, 4, ...be32(8 + big.length)], big), { payloadLen: 0 }), 229)
    expect([jumbo.fault[0], jumbo.payloadWireLen[0]]).toEqual([0, 70_000])
  })

  test('a header that is not whole', () => {
    const out = decodeOne(ipv4(17, concat(be16(9), be16(10), 0)), 101)
    expect([out.fault[0], out.layer[0], out.srcPort[0], out.dstPort[0]]).toEqual([FAULT_TRUNCATED, LAYER_IPV4, 9, 10])
  })
})
