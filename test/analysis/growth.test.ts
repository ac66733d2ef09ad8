// Tables begin small and grow: what they hold stays what it was, whatever moves beneath it.
import { createAddressTable } from '../../src/analysis/trackers/addresses.ts'
import {
  CONNECTION_ANSWERED,
  CONNECTION_PENDING,
  CONNECTION_REFUSED,
  createConnectionTracker,
} from '../../src/analysis/trackers/connections.ts'
import { createAnswerTable } from '../../src/analysis/trackers/dns-answers.ts'
import type { ExchangeView } from '../../src/analysis/trackers/exchange-view.ts'
import { createNameTable } from '../../src/analysis/trackers/names.ts'
import { createPathTable, SIZE_CLASSES } from '../../src/analysis/trackers/path-table.ts'
import { createSiteQuestions, QUESTION_MASK } from '../../src/analysis/trackers/site-questions.ts'
import { createTransport } from '../../src/analysis/trackers/transport.ts'
import {
  FIRST_DELIVERIES,
  FIRST_HELD,
  FIRST_PATHS,
  FIRST_SITE_QUESTIONS,
  MAX_DELIVERIES,
  MAX_HELD_CONNECTIONS,
  MAX_PATHS,
  MAX_SITE_QUESTIONS,
} from '../../src/constants/limits.ts'
import { decodeBatch } from '../../src/decoders/decode-batch.ts'
import type { StallFact } from '../../src/model/connection-facts.ts'
import { createDecodedBatch } from '../../src/model/decoded-batch.ts'
import { batchOf, ipv4, udp } from '../decoders/build-packet.ts'
import { ACK, RST, type Segment, SYN, segment } from './trackers/play-packets.ts'

const RAW = 101
const SECOND = 1_000_000

/** Decodes one packet at a time into the same row. */
function feeder(take: (batch: ReturnType<typeof batchOf>, out: ReturnType<typeof createDecodedBatch>) => void) {
  const out = createDecodedBatch(1)
  return (packet: Parameters<typeof batchOf>[0][number]) => {
    const batch = batchOf([{ linkType: RAW, ...packet }])
    decodeBatch(batch, out)
    take(batch, out)
  }
}

describe('held connections', () => {
  const portsOf = (n: number) => ({ clientPort: 1 + (n % 50_000), serverPort: 1 + Math.floor(n / 50_000) })
  const syn = (n: number): Segment => ({ ...portsOf(n), seq: n, flags: SYN, timeMicros: n })
  const reply = (n: number, flags: number): Segment => ({
    ...portsOf(n),
    from: 'server',
    seq: 7,
    ack: n + 1,
    flags,
    timeMicros: n + 50_000,
  })

  function tracker() {
    const told: { n: number; state: number; handshakeMicros: number }[] = []
    const addresses = createAddressTable()
    const connections = createConnectionTracker(addresses, createAnswerTable(addresses), (slot) => {
      const { columns } = connections
      const handshakeMicros = columns.handshakeMicros[slot]!
      told.push({ n: columns.seq[slot]!, state: columns.state[slot]!, handshakeMicros })
    })
    const feed = feeder((batch, out) => connections.packet(batch, out, 0))
    return { connections, told, feed: (one: Segment) => feed(segment(one)) }
  }

  test('keep their order, answers and repetitions when the table grows with its oldest in the middle', () => {
    const { connections, told, feed } = tracker()
    for (let n = 0; n < FIRST_HELD - 24; n++) feed(syn(n))
    connections.settle(4 * SECOND, 500)
    expect(told).toHaveLength(500)
    expect(connections.columns.seq).toHaveLength(FIRST_HELD)
    for (let n = FIRST_HELD - 24; n < 3500; n++) feed(syn(n))
    expect(connections.columns.seq).toHaveLength(4 * FIRST_HELD)
    for (let n = 500; n < 3500; n++) {
      if (n % 7 === 0) feed(syn(n))
      if (n % 3 === 0) feed(reply(n, SYN | ACK))
      else if (n % 5 === 0) feed(reply(n, RST | ACK))
    }
    const held: number[] = []
    connections.eachHeld((slot) => void held.push(connections.columns.seq[slot]!))
    expect(held).toEqual(Array.from({ length: 3000 }, (_, index) => 500 + index))
    connections.end()
    const expected = Array.from({ length: 3500 }, (_, n) => {
      const state = n % 3 === 0 ? CONNECTION_ANSWERED : n % 5 === 0 ? CONNECTION_REFUSED : CONNECTION_PENDING
      if (n < 500) return { n, state: CONNECTION_PENDING, handshakeMicros: -1 }
      if (state === CONNECTION_PENDING) return { n, state, handshakeMicros: n % 7 === 0 ? -2 : -1 }
      return { n, state, handshakeMicros: n % 7 === 0 ? -1 : 50_000 }
    })
    expect(told).toEqual(expected)
  })

  test('are told early only when there are as many as may be held', () => {
    const { connections, told, feed } = tracker()
    const over = 300
    for (let n = 0; n < MAX_HELD_CONNECTIONS + over; n++) feed(syn(n))
    expect(told.map((one) => one.n)).toEqual(Array.from({ length: over }, (_, n) => n))
    expect(connections.columns.seq).toHaveLength(MAX_HELD_CONNECTIONS)
    feed(reply(MAX_HELD_CONNECTIONS + 1, SYN | ACK))
    connections.end()
    expect(told).toHaveLength(MAX_HELD_CONNECTIONS + over)
    expect(told.filter((one) => one.state === CONNECTION_ANSWERED)).toMatchObject([{ n: MAX_HELD_CONNECTIONS + 1 }])
  })
})

test('paths keep their figures when the table grows, and the last ones share path 0', () => {
  const paths = createPathTable(createAddressTable())
  const at = (n: number) => Uint32Array.of(0, 0, 0xffff, 0xcb00_0000 + n)
  expect(paths.connections).toHaveLength(FIRST_PATHS)
  for (let n = 1; n < 5000; n++) {
    const path = paths.idOf(n % 3, at(n), 0)
    expect(path).toBe(n < MAX_PATHS ? n : 0)
    paths.connections[path] = n
    paths.mss[path * 2 + 1] = n
    paths.lostByClass[(path * 2 + 1) * SIZE_CLASSES + SIZE_CLASSES - 1] = n
  }
  expect(paths.count).toBe(MAX_PATHS)
  for (let n = 1; n < MAX_PATHS; n++) {
    const path = paths.find(n % 3, at(n), 0)
    expect(path).toBe(n)
    expect(paths.interfaceId[path]).toBe(n % 3)
    expect(paths.connections[path]).toBe(n)
    expect(paths.mss[path * 2]).toBe(0)
    expect(paths.mss[path * 2 + 1]).toBe(n)
    expect(paths.lostByClass[(path * 2 + 1) * SIZE_CLASSES + SIZE_CLASSES - 1]).toBe(n)
  }
})

describe('deliveries', () => {
  /** Connection n, which asks for n % 100 + 1 bytes. */
  const ports = (n: number) => ({ clientPort: 1 + n, serverPort: 80 })
  const lenOf = (n: number) => (n % 100) + 1

  function tracker() {
    const stalls: StallFact[] = []
    const paths = createPathTable(createAddressTable())
    const transport = createTransport({ stall: (fact) => void stalls.push(fact) }, { paths })
    const feed = feeder((batch, out) => transport.packet(batch, out, 0))
    const open = (n: number, timeMicros: number) => {
      feed(segment({ ...ports(n), seq: 100, flags: SYN, timeMicros }))
      feed(segment({ ...ports(n), from: 'server', seq: 900, ack: 101, flags: SYN | ACK, timeMicros }))
    }
    const ask = (n: number, timeMicros: number) =>
      feed(segment({ ...ports(n), seq: 101, ack: 901, data: 'x'.repeat(lenOf(n)), timeMicros }))
    return { stalls, transport, feed, open, ask }
  }

  test('opened before the pool and the flow table grew are followed after it', () => {
    const { stalls, transport, feed, open, ask } = tracker()
    const count = 3000
    expect(count).toBeGreaterThan(8 * FIRST_DELIVERIES)
    for (let n = 0; n < count; n++) {
      open(n, n)
      // Every other one waits while the pool grows.
      if (n % 2 === 0) ask(n, n)
    }
    for (let n = 1; n < count; n += 2) ask(n, 10_000)
    // Flows that are followed nowhere: their slots lie behind all those met.
    for (let n = 0; n < 3000; n++) feed({ bytes: ipv4(17, udp(1 + n, 4000, new Uint8Array(8))), timeMicros: 10_000 })
    transport.tick(7 * SECOND)
    const told = stalls.map((fact) => [fact.clientPort, fact.clientBytes]).sort((a, b) => a[0]! - b[0]!)
    expect(told).toEqual(Array.from({ length: count }, (_, n) => [1 + n, lenOf(n)]))
    expect(() => transport.end()).not.toThrow()
  })

  test('are no more than may be: the idle make room', () => {
    const { stalls, transport, open, ask } = tracker()
    for (let n = 0; n < MAX_DELIVERIES + 500; n++) {
      open(n, n)
      ask(n, n)
    }
    transport.tick(7 * SECOND)
    expect(stalls).toHaveLength(MAX_DELIVERIES)
    expect(new Set(stalls.map((fact) => fact.clientPort)).size).toBe(MAX_DELIVERIES)
    for (const fact of stalls) expect(fact.clientBytes).toBe(lenOf(fact.clientPort - 1))
  })
})

test('questions of sites are kept while their columns grow; then the latest are', () => {
  const questions = createSiteQuestions(createNameTable(), createAddressTable())
  const note = (n: number) => questions.note({ type: 1, nameId: n, queryMicros: n * 1000, rcode: -1 } as ExchangeView)
  expect(questions.columns.nameId).toHaveLength(FIRST_SITE_QUESTIONS)
  for (let n = 0; n < 1000; n++) note(n)
  expect(questions.columns.nameId).toHaveLength(1024)
  expect([...questions.columns.nameId.subarray(0, 1000)]).toEqual(Array.from({ length: 1000 }, (_, n) => n))
  for (let n = 1000; n < MAX_SITE_QUESTIONS + 100; n++) note(n)
  expect([questions.first, questions.end]).toEqual([100, MAX_SITE_QUESTIONS + 100])
  const { nameId, queryMicros, rcode } = questions.columns
  expect(nameId).toHaveLength(MAX_SITE_QUESTIONS)
  for (let seq = questions.first; seq < questions.end; seq++) {
    const slot = seq & QUESTION_MASK
    if (nameId[slot] !== seq || queryMicros[slot] !== seq * 1000 || rcode[slot] !== 255) throw new Error(`${seq}`)
  }
})
