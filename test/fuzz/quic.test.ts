// Initial packets damaged before they were sealed and after: nothing throws, nothing hangs, nothing reads too far.
// 10,000 in `npm test`, a million in `npm run fuzz`.
import { createTransport } from '../../src/analysis/trackers/transport.ts'
import { platformCrypto } from '../../src/daemon/platform-crypto.ts'
import { decodeBatch } from '../../src/decoders/decode-batch.ts'
import { createDecodedBatch } from '../../src/model/decoded-batch.ts'
import { type Bytes, batchOf, concat, ipv4, udp } from '../decoders/build-packet.ts'
import { cryptoFrame, padded, QUIC_V1, QUIC_V2, sealInitial } from '../decoders/build-quic.ts'
import { clientHello, extensions } from '../decoders/build-tls.ts'
import { createRandom } from '../fixtures/frames.ts'
import { mutate } from './mutate.ts'

const LONG = process.env.FUZZ === 'long'
const ROUNDS = LONG ? 1_000_000 : 10_000
const SEED = Number(process.env.FUZZ_SEED ?? 1)
const BATCH = 100

test(
  `${ROUNDS} damaged Initials`,
  () => {
    const random = createRandom(SEED)
    const hello = Uint8Array.from(
      clientHello({ extensions: [extensions.serverName('fuzz.example'), extensions.alpn(['h3', 'doq'])] }),
    )
    let told = 0
    const transport = createTransport({ quic: () => told++ }, { crypto: platformCrypto, maxFlows: 1 << 10 })
    const out = createDecodedBatch(BATCH)
    for (let round = 0; round < ROUNDS; round += BATCH) {
      const packets = Array.from({ length: BATCH }, (_, index) => {
        const payload = damagedDatagram(random, hello, round + index)
        const ip = ipv4(17, udp(1024 + (random() % 60_000), 443, payload), { src: '192.0.2.1', dst: '203.0.113.9' })
        return { bytes: ip, linkType: 101, timeMicros: (round + index) * 1000 }
      })
      const batch = batchOf(packets)
      decodeBatch(batch, out)
      for (let row = 0; row < batch.count; row++) transport.packet(batch, out, row)
      transport.tick(round * 1000)
    }
    transport.end()
    // Damage of padding leaves the hello readable: the fuzz reaches what it is to reach.
    expect(told).toBeGreaterThan(ROUNDS / 50)
  },
  LONG ? 3_600_000 : 120_000,
)

/** Half of them are sealed after the damage, so that the frames' reader meets it; the others carry it on the outside. */
function damagedDatagram(random: () => number, hello: Bytes, round: number): Bytes {
  const cutAt = 1 + (random() % (hello.length - 1))
  const frames = padded(concat(cryptoFrame(cutAt, hello.slice(cutAt)), [1], cryptoFrame(0, hello.slice(0, cutAt))), 300)
  const destinationId = Uint8Array.from({ length: 8 }, () => random() & 0xff)
  const version = random() % 2 === 0 ? QUIC_V1 : QUIC_V2
  const inside = random() % 2 === 0
  const payload = inside ? mutate(frames, SEED * 7_919 + round).slice(0, 4000) : frames
  const packet = sealInitial({ version, destinationId, payload: padded(payload, 20) })
  return inside ? packet : mutate(packet, SEED * 104_729 + round).slice(0, 4000)
}
