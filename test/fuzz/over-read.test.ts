// The over-read check itself: silent on a clean row, and loud when a column depends on a packet's neighbours.
import { decodeBatch } from '../../src/decoders/decode-batch.ts'
import { createDecodedBatch } from '../../src/model/decoded-batch.ts'
import { batchOf, dnsQuery, ethernet, ipv4, udp } from '../decoders/build-packet.ts'
import { overRead } from './over-read.ts'

const PACKET = ethernet(0x0800, ipv4(17, udp(4000, 53, dnsQuery(7, 'www.example.com'))))

function decoded() {
  const batch = batchOf([{ bytes: PACKET }, { bytes: PACKET }])
  const out = createDecodedBatch(2)
  decodeBatch(batch, out)
  return { batch, out }
}

test('a row that depends on its own bytes only is clean, wherever it lies', () => {
  const { batch, out } = decoded()
  expect(overRead(batch, out, 0)).toBeUndefined()
  expect(overRead(batch, out, 1)).toBeUndefined()
})

test.each(['srcPort', 'payloadAt', 'dnsNameHash'] as const)('a %s read from elsewhere is told', (name) => {
  const { batch, out } = decoded()
  out[name][1] = out[name][1]! + 1
  expect(overRead(batch, out, 1)).toMatch(new RegExp(`^${name} is \\d+ among others and \\d+ alone$`))
})

test('all eight words of the addresses are compared', () => {
  const { batch, out } = decoded()
  out.addresses[15] = 1
  expect(overRead(batch, out, 1)).toMatch(/^addresses is 1 among others/)
})
