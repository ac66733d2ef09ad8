import { describe, expect, test } from '@jest/globals'
import { NO_WINDOW_SCALE, ROW_CUT, ROW_TCP_SACK_PERMITTED, ROW_TCP_TIMESTAMPS } from '../../src/model/decoded-batch.ts'
import { LAYER_IPV4, LAYER_TCP } from '../../src/model/layer.ts'
import { FAULT_TCP_DATA_OFFSET, FAULT_TCP_OPTION_LENGTH } from '../../src/model/malformed.ts'
import { ascii, type Bytes, be16, be32, decodeOne, ipv4, type TcpOptions, tcp } from './build-packet.ts'

const none: Bytes = new Uint8Array(0)
const segment = (o: TcpOptions, payload = none) => decodeOne(ipv4(6, tcp(4321, 443, payload, o)), 101)
const TIMESTAMPS = [8, 10, ...be32(1), ...be32(2)]

describe('TCP', () => {
  test('header fields become columns', () => {
    const out = segment({ seq: 0xfffffff0, ack: 0x80000001, flags: 0x18, window: 1234 }, ascii('hello'))
    expect([out.layer[0], out.srcPort[0], out.dstPort[0]]).toEqual([LAYER_TCP, 4321, 443])
    expect([out.tcpSeq[0], out.tcpAck[0], out.tcpFlags[0], out.tcpWindow[0]]).toEqual([
      0xfffffff0, 0x80000001, 0x18, 1234,
    ])
    expect([out.payloadAt[0], out.payloadLen[0], out.payloadWireLen[0]]).toEqual([40, 5, 5])
    expect([out.tcpMss[0], out.tcpWindowScale[0], out.sackCount[0], out.flags[0]]).toEqual([0, NO_WINDOW_SCALE, 0, 0])
  })

  test('the options of a SYN', () => {
    const out = segment({ flags: 2, options: [2, 4, ...be16(1460), 4, 2, ...TIMESTAMPS, 1, 3, 3, 7] })
    expect([out.tcpMss[0], out.tcpWindowScale[0], out.fault[0]]).toEqual([1460, 7, 0])
    expect(out.flags[0]).toBe(ROW_TCP_SACK_PERMITTED | ROW_TCP_TIMESTAMPS)
  })

  test('timestamps alone', () => {
    expect(segment({ options: [1, 1, ...TIMESTAMPS] }).flags[0]).toBe(ROW_TCP_TIMESTAMPS)
  })

  test('SACK blocks are located', () => {
    const block = [...be32(100), ...be32(200)]
    const out = segment({ options: [1, 1, 5, 18, ...block, ...block] })
    expect([out.sackAt[0], out.sackCount[0]]).toEqual([20 + 20 + 4, 2])
  })

  test('the end of the list ends it', () => {
    expect(segment({ options: [0, 2, 4, 5, 180, 0, 0, 0] }).tcpMss[0]).toBe(0)
  })

  test.each([
    ['length 0', [2, 0, 5, 180]],
    ['length 1', [254, 1, 1, 1]],
    ['a length beyond the header', [1, 8, 10, 0]],
    ['a kind without a length', [1, 1, 1, 2]],
    ['an MSS of 3 bytes', [2, 3, 5, 0]],
  ])('an option with %s is a fault, the payload is not lost', (_name, options) => {
    const out = segment({ options }, ascii('data'))
    expect([out.fault[0], out.faultLayer[0], out.payloadLen[0], out.tcpMss[0]]).toEqual([
      FAULT_TCP_OPTION_LENGTH,
      LAYER_TCP,
      4,
      0,
    ])
  })

  test.each([4, 6])('a data offset of %i words, too small or beyond the segment, is a fault', (dataOffset) => {
    const out = segment({ dataOffset })
    expect([out.fault[0], out.faultAt[0], out.srcPort[0]]).toEqual([FAULT_TCP_DATA_OFFSET, 20, 4321])
  })

  test('a header that was cut gives what is there', () => {
    const whole = ipv4(6, tcp(4321, 443, ascii('data'), { seq: 77, options: [2, 4, ...be16(1460), 4, 2, 1, 1] }))
    const options = decodeOne(whole.slice(0, 45), 101, whole.length)
    expect([options.tcpSeq[0], options.tcpMss[0], options.fault[0]]).toEqual([77, 1460, 0])
    expect([options.payloadAt[0], options.payloadLen[0], options.payloadWireLen[0]]).toEqual([45, 0, 4])
    expect(options.flags[0]! & ROW_CUT).toBe(ROW_CUT)
    const ports = decodeOne(whole.slice(0, 28), 101, whole.length)
    expect([ports.layer[0], ports.srcPort[0], ports.dstPort[0], ports.fault[0]]).toEqual([LAYER_IPV4, 4321, 443, 0])
    expect(ports.flags[0]! & ROW_CUT).toBe(ROW_CUT)
  })
})
