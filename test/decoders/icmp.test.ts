import { describe, expect, test } from '@jest/globals'
import { createQuotedPacket, readQuoted } from '../../src/decoders/quoted.ts'
import { ROW_CUT } from '../../src/model/decoded-batch.ts'
import { LAYER_ICMPV4, LAYER_ICMPV6 } from '../../src/model/layer.ts'
import { FAULT_ICMP_SHORT } from '../../src/model/malformed.ts'
import {
  ascii,
  type Bytes,
  be32,
  concat,
  decodeOne,
  extension,
  fragmentHeader,
  icmp,
  ipv4,
  ipv6,
  tcp,
  udp,
} from './build-packet.ts'

const none = new Uint8Array(0)
const sent4 = ipv4(6, tcp(40_000, 443, none, { seq: 0x89abcdef }), { id: 321, dontFragment: true, ttl: 3 })
const sent6 = ipv6(6, tcp(40_000, 443, none, { seq: 0x89abcdef }))
const v4 = (message: Bytes) => decodeOne(ipv4(1, message), 101)
const v6 = (message: Bytes) => decodeOne(ipv6(58, message), 229)

describe('ICMP', () => {
  test('fragmentation needed tells the next-hop MTU and where the packet is quoted', () => {
    const out = v4(icmp(3, 4, 1420, sent4.slice(0, 28)))
    expect([out.layer[0], out.icmpType[0], out.icmpCode[0], out.icmpMtu[0]]).toEqual([LAYER_ICMPV4, 3, 4, 1420])
    expect([out.quotedAt[0], out.payloadAt[0], out.payloadLen[0], out.srcPort[0]]).toEqual([28, 28, 28, 0])
  })

  test('other unreachables have no MTU, an old router says 0', () => {
    expect(v4(icmp(3, 3, 1420, sent4)).icmpMtu[0]).toBe(0)
    expect(v4(icmp(3, 4, 0, sent4)).icmpMtu[0]).toBe(0)
    expect(v4(icmp(3, 4, 0x00081400, sent4)).icmpMtu[0]).toBe(0x1400)
  })

  test.each([3, 4, 5, 11, 12])('type %i quotes a packet', (type) => {
    expect(v4(icmp(type, 0, 0, sent4)).quotedAt[0]).toBe(28)
  })

  test('echo quotes nothing, nor does a message without a whole header or of another version', () => {
    expect(v4(icmp(8, 0, 0, sent4)).quotedAt[0]).toBe(0)
    expect(v4(icmp(3, 4, 0, sent4.slice(0, 19))).quotedAt[0]).toBe(0)
    expect(v4(icmp(3, 4, 0, sent6)).quotedAt[0]).toBe(0)
  })

  test('a short message gives type and code', () => {
    const out = v4(icmp(3, 4, 1400, none).slice(0, 7))
    expect([out.fault[0], out.icmpType[0], out.icmpCode[0], out.icmpMtu[0]]).toEqual([FAULT_ICMP_SHORT, 3, 4, 0])
    const whole = ipv4(1, icmp(3, 4, 1400, sent4))
    const cut = decodeOne(whole.slice(0, 24), 101, whole.length)
    expect([cut.fault[0], cut.flags[0], cut.icmpType[0]]).toEqual([0, ROW_CUT, 3])
  })
})

describe('ICMPv6', () => {
  test('packet too big tells the MTU and where the packet is quoted', () => {
    const out = v6(icmp(2, 0, 1280, sent6))
    expect([out.layer[0], out.icmpType[0], out.icmpCode[0], out.icmpMtu[0]]).toEqual([LAYER_ICMPV6, 2, 0, 1280])
    expect(out.quotedAt[0]).toBe(48)
    expect(v6(icmp(2, 0, 0xfffffff0, sent6)).icmpMtu[0]).toBe(0xfffffff0)
  })

  test('other errors quote without an MTU, information messages do neither', () => {
    for (const type of [1, 3, 4]) {
      const out = v6(icmp(type, 0, 1280, sent6))
      expect([out.icmpMtu[0], out.quotedAt[0]]).toEqual([0, 48])
    }
    for (const type of [0, 5, 128, 135]) expect(v6(icmp(type, 0, 1280, sent6)).quotedAt[0]).toBe(0)
    expect(v6(icmp(2, 0, 1280, sent4)).quotedAt[0]).toBe(0)
    expect(v6(icmp(2, 0, 1280, sent6.slice(0, 39))).quotedAt[0]).toBe(0)
  })

  test('a short message is a fault', () => {
    expect(v6(icmp(2, 0, 1280, none).slice(0, 5)).fault[0]).toBe(FAULT_ICMP_SHORT)
  })
})

describe('quoted packets', () => {
  const read = (bytes: Bytes) => {
    const into = createQuotedPacket()
    const found = readQuoted(concat([9, 9], bytes), 2, 2 + bytes.length, into)
    return { found, ...into, addresses: [...into.addresses] }
  }

  test('IPv4 and TCP, eight bytes after the header', () => {
    expect(read(sent4.slice(0, 28))).toEqual({
      found: true,
      ipVersion: 4,
      addresses: [0, 0, 0xffff, 0xc0000201, 0, 0, 0xffff, 0xc6336402],
      ipLen: 40,
      ipId: 321,
      dontFragment: true,
      ttl: 3,
      ipProtocol: 6,
      fragmentOffset: 0,
      hasPorts: true,
      srcPort: 40_000,
      dstPort: 443,
      hasTcpSeq: true,
      tcpSeq: 0x89abcdef,
      transportAt: 22,
      spi: 0,
    })
  })

  test('what is not quoted is not made up', () => {
    expect(read(sent4.slice(0, 27))).toMatchObject({ found: true, hasPorts: true, hasTcpSeq: false, tcpSeq: 0 })
    expect(read(sent4.slice(0, 23))).toMatchObject({ found: true, hasPorts: false, srcPort: 0, hasTcpSeq: false })
    expect(read(sent4.slice(0, 19))).toMatchObject({ found: false, ipVersion: 0 })
    expect(read(sent6.slice(0, 39)).found).toBe(false)
    expect(read(none).found).toBe(false)
    expect(read(concat(0x55, new Uint8Array(60))).found).toBe(false)
    expect(read(concat(0x44, sent4.slice(1))).found).toBe(false)
  })

  test('IPv6 with extension headers', () => {
    const packet = ipv6(60, extension(44, [], fragmentHeader(17, 0, true, 99, udp(5, 6, ascii('x')))))
    expect(read(packet)).toMatchObject({
      found: true,
      ipVersion: 6,
      ipLen: packet.length,
      ipId: 99,
      ipProtocol: 17,
      hasPorts: true,
      srcPort: 5,
      dstPort: 6,
      hasTcpSeq: false,
    })
  })

  test('a later fragment has no ports', () => {
    const later = ipv4(17, udp(5, 6, ascii('x')), { fragmentOffset: 1480 })
    expect(read(later)).toMatchObject({ found: true, fragmentOffset: 1480, hasPorts: false })
    const later6 = ipv6(44, fragmentHeader(17, 1448, false, 99, udp(5, 6, ascii('x'))))
    expect(read(later6)).toMatchObject({ found: true, fragmentOffset: 1448, ipProtocol: 17, hasPorts: false })
  })

  test('ESP shows its SPI', () => {
    const esp = ipv4(50, concat(be32(0xcafe0001), be32(1)))
    expect(read(esp)).toMatchObject({ found: true, ipProtocol: 50, spi: 0xcafe0001, hasPorts: false })
  })
})
