// Initial packets damaged before they were sealed and after, cut, coalesced and of the wrong version: nothing throws,
// nothing hangs, nothing reads too far. 10,000 in `npm test`, a million in `npm run fuzz`.
import { createTransport } from '../../src/analysis/trackers/transport.ts'
import { platformCrypto } from '../../src/daemon/platform-crypto.ts'
import { decodeBatch } from '../../src/decoders/decode-batch.ts'
import { createDecodedBatch } from '../../src/model/decoded-batch.ts'
import { batchOf, ipv4, udp } from '../decoders/build-packet.ts'
import { DAMAGES, type DamagedInitial, damagedInitial } from './damaged-initials.ts'
import { overRead } from './over-read.ts'
import { createWatchdog } from './watchdog.ts'

const LONG = process.env.FUZZ === 'long'
const ROUNDS = LONG ? Number(process.env.FUZZ_INITIALS ?? 1_000_000) : 10_000
const SEED = Number(process.env.FUZZ_SEED ?? 1)
const BATCH = 100
/** Flows are few and met again and again, so that what one Initial leaves behind is there for the next. */
const FIRST_PORT = 1024
const PORTS = 5_000
/** One row in so many is decoded a second time, alone. */
const OVER_READ_EVERY = 8
const HANG_MILLIS = 60_000
/** Of the processor's time, and a hundred times what a batch takes. */
const BATCH_SECONDS = 3

test(
  `${ROUNDS} damaged Initials`,
  async () => {
    let told = 0
    let names = 0
    const transport = createTransport(
      {
        quic(fact) {
          told++
          if (fact.sni === 'fuzz.example') names++
        },
      },
      { crypto: platformCrypto, maxFlows: 1 << 10 },
    )
    const out = createDecodedBatch(BATCH)
    const watchdog = createWatchdog(`in test/fuzz/quic.test.ts, seed ${SEED}`, HANG_MILLIS)
    const problems: string[] = []
    const seen = new Map(DAMAGES.map((damage) => [damage, 0]))
    try {
      for (let round = 0; round < ROUNDS && problems.length === 0; round += BATCH) {
        watchdog.beat()
        const initials = Array.from({ length: BATCH }, (_, index) => damagedInitial(SEED, round + index))
        const batch = batchOf(initials.map((initial, index) => packetOf(initial, round + index)))
        for (const { damage } of initials) seen.set(damage, seen.get(damage)! + 1)
        const start = process.cpuUsage()
        let row = 0
        try {
          decodeBatch(batch, out)
          for (; row < batch.count; row++) transport.packet(batch, out, row)
          transport.tick(round * 1000)
        } catch (error) {
          problems.push(`initial ${round + row} (${initials[row]?.damage}): ${(error as Error).stack}`)
        }
        const { user, system } = process.cpuUsage(start)
        const seconds = (user + system) / 1e6
        if (seconds > BATCH_SECONDS) problems.push(`initials from ${round} took ${seconds.toFixed(1)} s`)
        for (let alone = round % OVER_READ_EVERY; alone < batch.count; alone += OVER_READ_EVERY) {
          const problem = overRead(batch, out, alone)
          if (problem !== undefined) problems.push(`initial ${round + alone} is read beyond its end: ${problem}`)
        }
        if (LONG && round % 100_000 === 0) {
          console.log(`fuzz: ${round} Initials, ${told} facts, ${names} names`)
          // The watchdog's and the runner's messages need a turn.
          await new Promise((done) => setImmediate(done))
        }
      }
      transport.end()
    } finally {
      await watchdog.stop()
    }
    expect(problems).toEqual([])
    // Damage of padding leaves the hello readable, and every kind of damage was done: the fuzz reaches what it is to reach.
    expect(names).toBeGreaterThan(ROUNDS / 50)
    expect(told).toBeGreaterThan(names)
    expect(Math.min(...seen.values())).toBeGreaterThan(ROUNDS / DAMAGES.length / 2)
  },
  LONG ? 4 * 3_600_000 : 120_000,
)

function packetOf({ payload, wireLen }: DamagedInitial, round: number) {
  const src = `192.0.2.${1 + (round % 3)}`
  const port = FIRST_PORT + ((Math.imul(round, 0x9e3779b1) >>> 0) % PORTS)
  const datagram = udp(port, 443, payload, 8 + wireLen)
  const totalLen = 20 + 8 + wireLen
  const bytes = ipv4(17, datagram, { src, dst: '203.0.113.9', totalLen })
  return { bytes, wireLen: totalLen, linkType: 101, timeMicros: round * 1000 }
}
