// TLS connections damaged inside and outside, with the key log that opens them: nothing throws, nothing hangs, nothing is held
// when all have ended. 2,000 in `npm test`, 300,000 in `npm run fuzz`.
import { createKeyLog } from '../../src/analysis/key-log.ts'
import { createTransport } from '../../src/analysis/trackers/transport.ts'
import { platformCrypto } from '../../src/daemon/platform-crypto.ts'
import { decodeBatch } from '../../src/decoders/decode-batch.ts'
import { createDecodedBatch } from '../../src/model/decoded-batch.ts'
import { ACK, handshake, segment } from '../analysis/trackers/play-packets.ts'
import { type BatchPacket, batchOf } from '../decoders/build-packet.ts'
import { createRandom } from '../fixtures/frames.ts'
import { type DamagedTls, damagedTls, TLS_DAMAGES } from './damaged-tls.ts'
import { createWatchdog } from './watchdog.ts'

const LONG = process.env.FUZZ === 'long'
const ROUNDS = LONG ? Number(process.env.FUZZ_TLS ?? 300_000) : 2000
const SEED = Number(process.env.FUZZ_SEED ?? 1)
const FIRST_PORT = 1024
const PORTS = 60_000
const SEGMENT_LEN = 1400
const HANG_MILLIS = 60_000
/** Of the processor's time for one connection, and a hundred times what one takes. */
const SECONDS = 1

test(
  `${ROUNDS} damaged TLS connections`,
  async () => {
    const told = { tls: 0, http: 0, requests: 0 }
    const keyLog = createKeyLog()
    const transport = createTransport(
      {
        tls() {
          told.tls++
        },
        http(fact) {
          told.http++
          if (fact.host === 'fuzz.example') told.requests++
        },
      },
      { crypto: platformCrypto, keyLog, maxFlows: 1 << 10 },
    )
    const out = createDecodedBatch(64)
    const watchdog = createWatchdog(`in test/fuzz/tls.test.ts, seed ${SEED}`, HANG_MILLIS)
    const problems: string[] = []
    const seen = new Map(TLS_DAMAGES.map((damage) => [damage, 0]))
    try {
      for (let round = 0; round < ROUNDS && problems.length === 0; round++) {
        if (round % 100 === 0) watchdog.beat()
        const made = damagedTls(SEED, round)
        seen.set(made.damage, seen.get(made.damage)! + 1)
        keyLog.add(Buffer.from(made.keyLog))
        const batch = batchOf(packetsOf(made, round))
        const start = process.cpuUsage()
        try {
          decodeBatch(batch, out)
          for (let row = 0; row < batch.count; row++) transport.packet(batch, out, row)
          transport.tick(round * 1000)
        } catch (error) {
          problems.push(`connection ${round} (${made.damage}): ${(error as Error).stack}`)
        }
        const { user, system } = process.cpuUsage(start)
        const seconds = (user + system) / 1e6
        if (seconds > SECONDS) problems.push(`connection ${round} (${made.damage}) took ${seconds.toFixed(1)} s`)
        if (LONG && round % 10_000 === 0) {
          console.log(`fuzz: ${round} TLS connections, ${told.tls} facts, ${told.requests} requests`)
          // The watchdog's and the runner's messages need a turn.
          await new Promise((done) => setImmediate(done))
        }
      }
      transport.end()
    } finally {
      await watchdog.stop()
    }
    expect(problems).toEqual([])
    // Most damage leaves something to read, and every kind of damage was done: the fuzz reaches what it is to reach.
    expect(told.requests).toBeGreaterThan(ROUNDS / 20)
    expect(told.tls).toBeGreaterThan(ROUNDS * 2)
    expect(keyLog.openedCount).toBeGreaterThan(ROUNDS / 2)
    expect(Math.min(...seen.values())).toBeGreaterThan(ROUNDS / TLS_DAMAGES.length / 2)
  },
  LONG ? 4 * 3_600_000 : 120_000,
)

/** As TCP, a segment now and then missing though it was acknowledged. */
function packetsOf({ turns }: DamagedTls, round: number): BatchPacket[] {
  const random = createRandom(Math.imul(SEED, 0x85eb_ca6b) ^ round)
  const ports = { clientPort: FIRST_PORT + (round % PORTS), serverPort: 443 }
  const packets = handshake(999, 4999, ports)
  const next = { client: 1000, server: 5000 }
  for (const { fromClient, bytes } of turns) {
    const [from, to] = fromClient ? (['client', 'server'] as const) : (['server', 'client'] as const)
    for (let at = 0; at < bytes.length; at += SEGMENT_LEN) {
      const data = bytes.subarray(at, at + SEGMENT_LEN)
      const isLost = random() % 100 === 0
      if (!isLost) packets.push(segment({ ...ports, from, seq: next[from], ack: next[to], data, flags: ACK }))
      next[from] += data.length
    }
  }
  return packets.slice(0, 64).map((packet) => ({ linkType: 101, timeMicros: round * 1000, ...packet }))
}
