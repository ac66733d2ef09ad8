// IPComp: what is inside a compressed packet is read like any other; what cannot be unpacked stays closed.
import { deflateRawSync } from 'node:zlib'
import { createTransport } from '../../../src/analysis/trackers/transport.ts'
import { platformInflate } from '../../../src/daemon/platform-inflate.ts'
import { decodeBatch } from '../../../src/decoders/decode-batch.ts'
import { createDecodedBatch } from '../../../src/model/decoded-batch.ts'
import { addressText } from '../../../src/text/address.ts'
import { type Bytes, batchOf, concat, dnsQuery, ipv4, udp } from '../../decoders/build-packet.ts'

const query = udp(1111, 53, dnsQuery(9, 'www.example.com'))
const ipcomp = (next: number, parameterIndex: number, data: Bytes) =>
  ipv4(108, concat([next, 0, parameterIndex >> 8, parameterIndex & 0xff], data))

function read(packet: Bytes, wireLen = packet.length): string[] {
  const seen: string[] = []
  const transport = createTransport(
    { dnsMessage: (_, out) => void seen.push(`${out.dnsId[0]} ${addressText(out.addresses, 0)}`) },
    { inflate: platformInflate, maxFlows: 16 },
  )
  const batch = batchOf([{ linkType: 101, bytes: packet, wireLen }])
  const out = createDecodedBatch(1)
  decodeBatch(batch, out)
  transport.packet(batch, out, 0)
  transport.end()
  return seen
}

test('a datagram and a tunnelled packet are unpacked', () => {
  expect(read(ipcomp(17, 2, deflateRawSync(query)))).toEqual(['9 192.0.2.1'])
  expect(read(ipcomp(4, 0xeed1, deflateRawSync(ipv4(17, query, { src: '10.0.0.7' }))))).toEqual(['9 10.0.0.7'])
})

test('what is no DEFLATE, was cut, or is larger than a packet can be, stays closed', () => {
  const packed = deflateRawSync(query)
  expect(read(ipcomp(17, 3, packed))).toEqual([])
  expect(read(ipcomp(17, 2, query))).toEqual([])
  const whole = ipcomp(17, 2, packed)
  expect(read(whole.slice(0, -4), whole.length)).toEqual([])
  expect(read(ipcomp(17, 2, deflateRawSync(concat(query, new Uint8Array(70_000)))))).toEqual([])
  expect(read(ipcomp(108, 2, deflateRawSync(whole.slice(20))))).toEqual([])
})
