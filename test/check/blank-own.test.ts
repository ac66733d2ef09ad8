// What our own requests in clear carry is taken out of packets before they are written.
import { createBlank } from '../../src/check/blank-own.ts'
import { parseTarget } from '../../src/check/target.ts'
import { decodeBatch } from '../../src/decoders/decode-batch.ts'
import { createDecodedBatch } from '../../src/model/decoded-batch.ts'
import { batchOf, ipv4, tcp, udp } from '../decoders/build-packet.ts'

const OWN = 40_001
const REQUEST = 'GET /cart?id=secret HTTP/1.1\r\nHost: shop.example\r\nUser-Agent: x\r\n\r\n'
const ANSWER = 'HTTP/1.1 200 OK\r\nServer: edge\r\nSet-Cookie: id=secret\r\n\r\nbody with secret'
const bytesOf = (text: string) => new TextEncoder().encode(text)

/** The packets after blanking, as text. */
function blanked(url: string, ...packets: Uint8Array[]): string[] {
  const batch = batchOf(packets.map((bytes) => ({ bytes, linkType: 101 })))
  const out = createDecodedBatch(packets.length)
  decodeBatch(batch, out)
  createBlank(parseTarget(url), (port) => port === OWN)(batch, out)
  return packets.map((_, row) => {
    const at = batch.startAt[row]!
    return Buffer.from(batch.bytes.slice(at, at + batch.capturedLen[row]!)).toString('latin1')
  })
}

const segment = (from: number, to: number, text: string) => ipv4(6, tcp(from, to, bytesOf(text)))

test('the query, the cookie and the body go; path, status and server stay', () => {
  const [request, answer] = blanked(
    'http://shop.example/cart?id=secret',
    segment(OWN, 80, REQUEST),
    segment(80, OWN, ANSWER),
  )
  expect(request).toContain('GET /cart?xxxxxxxxx HTTP/1.1')
  expect(answer).toContain('Server: edge')
  expect(`${request}${answer}`).not.toContain('secret')
})

test('the query goes also inside a tunnel that is not taken apart, and on its second way', () => {
  const inner = segment(OWN, 80, REQUEST)
  const [outer] = blanked(
    'http://shop.example/cart?id=secret',
    ipv4(17, udp(51820, 51820, Uint8Array.of(9, 9, ...inner, ...inner))),
  )
  expect(outer).not.toContain('secret')
  expect(outer!.match(/GET \/cart\?x{9} HTTP/g)).toHaveLength(2)
})

test('what others send stays as it is, and TLS has nothing to hide', () => {
  const other = 'GET /other?id=theirs HTTP/1.1\r\n\r\n'
  expect(blanked('http://shop.example/cart?id=secret', segment(40_002, 80, other))[0]).toContain('id=theirs')
  expect(blanked('https://shop.example/cart?id=secret', segment(OWN, 443, REQUEST))[0]).toContain('secret')
})

test('without a query nothing is searched for', () => {
  const text = 'HTTP/1.1 stays in this text'
  expect(blanked('http://shop.example/', ipv4(17, udp(1, 2, bytesOf(text))))[0]).toContain(text)
})
