// Feeds a conversation to a stream consumer, cut where a test says, as the streams tracker does.
import type { StreamConsumer } from '../../../src/analysis/trackers/stream-consumer.ts'
import type { ConnectionFact } from '../../../src/model/connection-facts.ts'

/** One turn of a conversation: who speaks, and what. */
export interface Turn {
  fromClient: boolean
  bytes: Uint8Array
}

export function client(bytes: ArrayLike<number> | string): Turn {
  return { fromClient: true, bytes: toBytes(bytes) }
}

export function server(bytes: ArrayLike<number> | string): Turn {
  return { fromClient: false, bytes: toBytes(bytes) }
}

function toBytes(bytes: ArrayLike<number> | string): Uint8Array {
  return typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : Uint8Array.from(bytes)
}

export const WHERE: ConnectionFact = {
  timeMicros: 1_000_000,
  frameNumber: 1,
  interfaceId: 0,
  flowId: 7,
  clientAddress: '192.0.2.1',
  clientPort: 50_000,
  serverAddress: '198.51.100.1',
  serverPort: 443,
  ipVersion: 4,
}

/**
 * Delivers the turns, each cut into the given pieces, in memory that ends where the bytes end. What is not consumed is
 * offered again with what follows. Returns the unconsumed rest of both directions (server, client).
 */
export function feed(
  consumer: StreamConsumer,
  turns: Turn[],
  cutsOf: (turn: Turn, index: number) => number[],
): Buffer[] {
  const rests = [Buffer.alloc(0), Buffer.alloc(0)]
  const where = { ...WHERE }
  turns.forEach((turn, index) => {
    let from = 0
    for (const to of [...cutsOf(turn, index), turn.bytes.length]) {
      const side = turn.fromClient ? 1 : 0
      const offered = Buffer.concat([rests[side]!, turn.bytes.subarray(from, to)])
      from = to
      if (offered.length === 0) continue
      const usedLen = consumer.done
        ? 0
        : consumer.push(turn.fromClient, Uint8Array.from(offered), 0, offered.length, where)
      if (usedLen < 0 || usedLen > offered.length) throw new Error(`consumed ${usedLen} of ${offered.length}`)
      rests[side] = Buffer.from(offered.subarray(usedLen))
    }
    where.timeMicros++
    where.frameNumber++
  })
  return rests
}

/** Calls `check` with every way to cut the conversation once, and with every way to cut each turn twice (in steps). */
export function everySplit(
  turns: Turn[],
  check: (cutsOf: (turn: Turn, index: number) => number[], label: string) => void,
) {
  turns.forEach((turn, cutTurn) => {
    const len = turn.bytes.length
    const step = Math.max(1, Math.floor(len / 10))
    for (let first = 0; first <= len; first++) {
      check((_, index) => (index === cutTurn ? [first] : []), `turn ${cutTurn} at ${first}`)
    }
    for (let first = 0; first <= len; first += step) {
      for (let second = first; second <= len; second += step) {
        check((_, index) => (index === cutTurn ? [first, second] : []), `turn ${cutTurn} at ${first} and ${second}`)
      }
    }
  })
  check((turn) => Array.from(turn.bytes, (_, i) => i), 'single bytes')
}
