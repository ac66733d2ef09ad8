import { createAddressTable } from '../../../src/analysis/trackers/addresses.ts'
import { createDnsExchangeTracker } from '../../../src/analysis/trackers/dns-exchanges.ts'
import {
  EXCHANGE_ANSWERED,
  EXCHANGE_PENDING,
  EXCHANGE_SHIFT,
  EXCHANGE_TIMED_OUT,
  EXCHANGE_UNDECIDED,
  EXCHANGE_WORDS,
  exchangeState,
  INTERFACE_AT,
  NAME_ID_AT,
  queryMicrosOf,
  RESPONSE_AT_F64,
  rcodeOf,
} from '../../../src/analysis/trackers/exchange-record.ts'
import { createNameTable } from '../../../src/analysis/trackers/names.ts'
import { DNS_TIMEOUT_MICROS, MAX_HELD_EXCHANGES } from '../../../src/constants/limits.ts'
import { decodeBatch } from '../../../src/decoders/decode-batch.ts'
import { createDecodedBatch } from '../../../src/model/decoded-batch.ts'
import { type Bytes, batchOf, dnsQuery, ipv4, udp } from '../../decoders/build-packet.ts'

const CLIENT = '192.0.2.10'
const SERVER = '192.0.2.53'
const RAW = 101

interface Told {
  name: string
  state: number
  rcode: number
  questions: number
  latencyMicros: number
}

function tracker() {
  const names = createNameTable()
  const told: Told[] = []
  const exchanges = createDnsExchangeTracker(names, createAddressTable(), (slot) => {
    const { words, times } = exchanges.records
    const base = slot << EXCHANGE_SHIFT
    const responseMicros = times[(base >> 1) + RESPONSE_AT_F64]!
    told.push({
      name: names.text(words[base + NAME_ID_AT]!),
      state: exchangeState(words, slot),
      rcode: rcodeOf(words, slot),
      questions: words[base + INTERFACE_AT]! & 0xffff,
      latencyMicros: responseMicros < 0 ? -1 : responseMicros - queryMicrosOf(times, slot),
    })
  })
  const feedAll = (packets: readonly { timeMicros: number; bytes: Bytes; interfaceId?: number }[]): void => {
    const batch = batchOf(packets.map((packet) => ({ ...packet, linkType: RAW })))
    const out = createDecodedBatch(packets.length)
    decodeBatch(batch, out)
    for (let row = 0; row < batch.count; row++) exchanges.message(batch, out, row)
  }
  const feed = (timeMicros: number, bytes: Bytes, interfaceId = 0) => feedAll([{ timeMicros, bytes, interfaceId }])
  return { exchanges, told, feed, feedAll }
}

const ask = (name: string, o: { port?: number; id?: number; type?: number } = {}): Bytes =>
  ipv4(17, udp(o.port ?? 40_000, 53, dnsQuery(o.id ?? 1, name, o.type)), { src: CLIENT, dst: SERVER })

/** The question sent back with QR set and this rcode. */
function reply(
  name: string,
  o: { port?: number; id?: number; type?: number; rcode?: number; from?: string } = {},
): Bytes {
  const message = dnsQuery(o.id ?? 1, name, o.type)
  message[2] = message[2]! | 0x80
  message[3] = o.rcode ?? 0
  return ipv4(17, udp(53, o.port ?? 40_000, message), { src: o.from ?? SERVER, dst: CLIENT })
}

test('an answer is matched and told with its latency once the context is known, not before', () => {
  const { exchanges, told, feed } = tracker()
  feed(1000, ask('a.example'))
  feed(4000, reply('A.Example', { rcode: 3 }))
  exchanges.settle(10_000, Number.NEGATIVE_INFINITY)
  expect(told).toEqual([])
  exchanges.settle(10_000, 10_000)
  expect(told).toEqual([{ name: 'a.example', state: EXCHANGE_ANSWERED, rcode: 3, questions: 1, latencyMicros: 3000 }])
})

test.each([
  ['another id', { id: 2 }],
  ['another port', { port: 40_001 }],
  ['another server', { from: '198.51.100.9' }],
  ['another type', { type: 28 }],
])('an answer with %s matches nothing (RFC 5452 9.1)', (_, difference) => {
  const { exchanges, told, feed } = tracker()
  feed(0, ask('a.example'))
  feed(10, reply('a.example', difference))
  expect(exchanges.unmatchedResponses).toBe(1)
  exchanges.end(20)
  expect(told).toMatchObject([{ state: EXCHANGE_UNDECIDED, latencyMicros: -1 }])
})

test('an answer with another name, or on another interface, matches nothing', () => {
  const { exchanges, feed } = tracker()
  feed(0, ask('a.example'))
  feed(10, reply('b.example'))
  feed(20, reply('a.example'), 1)
  expect(exchanges.unmatchedResponses).toBe(2)
})

test('exchanges are told in the order of their questions, each when it and all before it are decided', () => {
  const { exchanges, told, feed } = tracker()
  feed(0, ask('slow.example', { id: 1 }))
  feed(10, ask('fast.example', { id: 2 }))
  feed(20, reply('fast.example', { id: 2 }))
  exchanges.settle(30, 30)
  expect(told).toEqual([])
  feed(40, reply('slow.example', { id: 1 }))
  exchanges.settle(50, 50)
  expect(told.map((one) => one.name)).toEqual(['slow.example', 'fast.example'])
})

test('an answer later than the timeout is nobody’s, though it comes in the same batch as its question', () => {
  const { exchanges, told, feedAll } = tracker()
  feedAll([
    { timeMicros: 0, bytes: ask('slow.example') },
    { timeMicros: DNS_TIMEOUT_MICROS, bytes: reply('slow.example') },
    { timeMicros: DNS_TIMEOUT_MICROS, bytes: ask('quick.example', { id: 2 }) },
    { timeMicros: 2 * DNS_TIMEOUT_MICROS - 1, bytes: reply('quick.example', { id: 2 }) },
  ])
  expect(exchanges.unmatchedResponses).toBe(1)
  exchanges.end(2 * DNS_TIMEOUT_MICROS)
  expect(told.map(({ name, state }) => [name, state])).toEqual([
    ['slow.example', EXCHANGE_TIMED_OUT],
    ['quick.example', EXCHANGE_ANSWERED],
  ])
})

test('silence is a time-out after five seconds of packet time, and undecided when the capture ends earlier', () => {
  const { exchanges, told, feed } = tracker()
  feed(0, ask('silent.example', { id: 1 }))
  feed(1_000_000, ask('late.example', { id: 2 }))
  exchanges.settle(DNS_TIMEOUT_MICROS - 1, Number.POSITIVE_INFINITY)
  expect(told).toEqual([])
  exchanges.settle(DNS_TIMEOUT_MICROS, Number.POSITIVE_INFINITY)
  exchanges.end(DNS_TIMEOUT_MICROS + 10)
  expect(told.map(({ name, state }) => [name, state])).toEqual([
    ['silent.example', EXCHANGE_TIMED_OUT],
    ['late.example', EXCHANGE_UNDECIDED],
  ])
})

test('a repetition with the same id and port is the same exchange; one with another id is not', () => {
  const { exchanges, told, feed } = tracker()
  feed(0, ask('a.example'))
  feed(1_000_000, ask('a.example'))
  feed(2_000_000, ask('a.example', { id: 9 }))
  feed(2_000_500, reply('a.example'))
  exchanges.end(2_001_000)
  expect(told.map(({ questions, state }) => [questions, state])).toEqual([
    [2, EXCHANGE_ANSWERED],
    [1, EXCHANGE_UNDECIDED],
  ])
})

test('a full table tells its oldest exchange early and counts it; nothing is lost, memory stays', () => {
  const { exchanges, told, feed, feedAll } = tracker()
  const extra = 50
  const question = (index: number) => ({
    timeMicros: index,
    bytes: ask(`n${index % 1000}.example`, { id: index & 0xffff, port: 1024 + (index >>> 16) }),
  })
  const total = MAX_HELD_EXCHANGES + extra
  for (let from = 0; from < total; from += 4096) {
    feedAll(Array.from({ length: Math.min(4096, total - from) }, (_, index) => question(from + index)))
  }
  expect(exchanges.forced).toBe(extra)
  expect(exchanges.records.words).toHaveLength(MAX_HELD_EXCHANGES * EXCHANGE_WORDS)
  expect(told).toHaveLength(extra)
  expect(told[0]).toMatchObject({ name: 'n0.example', state: EXCHANGE_UNDECIDED })
  // One of the youngest is still found after all the growth.
  const last = MAX_HELD_EXCHANGES + extra - 1
  feed(last + 1, reply(`n${last % 1000}.example`, { id: last & 0xffff, port: 1024 + (last >>> 16) }))
  exchanges.end(last + 2)
  expect(told).toHaveLength(MAX_HELD_EXCHANGES + extra)
  expect(told.filter((one) => one.state === EXCHANGE_ANSWERED)).toHaveLength(1)
  expect(told.filter((one) => one.state === EXCHANGE_PENDING)).toHaveLength(0)
})

test('the same packet seen again a moment later is no second question', () => {
  const { exchanges, told, feed } = tracker()
  feed(0, ask('a.example'))
  feed(50, ask('a.example'))
  feed(900, reply('a.example'))
  exchanges.end(1000)
  expect(told.map(({ questions }) => questions)).toEqual([1])
  expect(exchanges.duplicates).toBe(1)
})
