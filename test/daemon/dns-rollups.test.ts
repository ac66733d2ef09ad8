// Exchanges folded for the store: what is one row, in which bucket a latency falls, and that a flood stays bounded.
import { createCaptureTallies } from '../../src/daemon/capture-tally.ts'
import { createDnsRollups, latencyBucket } from '../../src/daemon/dns-rollups.ts'
import { createServiceTotals } from '../../src/daemon/service-totals.ts'
import type { DnsExchange, EncryptedDnsFact } from '../../src/model/dns-facts.ts'
import { type DnsRollup, LATENCY_BUCKETS } from '../../src/store/records.ts'

const interfaces = [{ name: 'eth0' }, { name: 'wg0' }] as never

function exchange(changes: Partial<DnsExchange> = {}): DnsExchange {
  return {
    name: 'www.example',
    type: 1,
    serverAddress: '192.0.2.53',
    serverPort: 53,
    transport: 'udp',
    interfaceId: 0,
    questions: 1,
    queryMicros: 1_000_000,
    responseMicros: 1_015_000,
    outcome: 'answered',
    rcode: 0,
    epoch: 1,
    judgement: 'leak',
    ...changes,
  } as DnsExchange
}

function collected() {
  const delivered: (readonly DnsRollup[])[] = []
  const { handlers, flush } = createDnsRollups(interfaces, undefined, (rollups) => delivered.push(rollups))
  return { delivered, flush, told: handlers.dnsExchange!, handlers }
}

test('the same question of the same resolver is one row; another epoch, side, type or name is another', () => {
  const { delivered, flush, told } = collected()
  told(exchange())
  told(exchange({ queryMicros: 3_000_000, responseMicros: -1, outcome: 'timed-out', rcode: -1, questions: 3 }))
  told(exchange({ rcode: 2, responseMicros: 1_400_000 }))
  told(exchange({ rcode: 3, queryMicros: 2_000_000, responseMicros: 2_000_500 }))
  told(exchange({ epoch: 2 }))
  told(exchange({ interfaceId: 1, judgement: 'inside' }))
  told(exchange({ type: 28 }))
  told(exchange({ name: 'other.example' }))
  flush()
  flush()
  expect(delivered).toHaveLength(1)
  const [first, ...others] = delivered[0]!
  const latency = new Array(LATENCY_BUCKETS).fill(0)
  latency[0] = 1
  latency[4] = 1
  latency[8] = 1
  expect(first).toEqual({
    epoch: 1,
    server: '192.0.2.53',
    port: 53,
    transport: 'udp',
    interface: 'eth0',
    side: 'outside',
    name: 'www.example',
    type: 1,
    queries: 6,
    answered: 3,
    failed: 1,
    firstMicros: 1_000_000,
    lastMicros: 3_000_000,
    latency,
    latencyMicros: 415_500,
  })
  expect(others.map(({ epoch, side, type, name }) => `${epoch} ${side} ${type} ${name}`)).toEqual([
    '2 outside 1 www.example',
    '1 tunnel 1 www.example',
    '1 outside 28 www.example',
    '1 outside 1 other.example',
  ])
})

test('a connection that hides its questions counts as one, and its answer is added later', () => {
  const { delivered, flush, handlers } = collected()
  const place = { serverAddress: '9.9.9.9', serverPort: 853, transport: 'dot', interfaceId: 0, epoch: 1 } as const
  const fact = { ...place, judgement: 'leak-encrypted', questions: 1, timeMicros: 5 } as EncryptedDnsFact
  handlers.encryptedDns!(fact)
  flush()
  handlers.encryptedDnsAnswered!(fact)
  flush()
  expect(delivered.flat()).toMatchObject([
    { name: '', type: 0, transport: 'dot', queries: 1, answered: 0 },
    { name: '', type: 0, transport: 'dot', queries: 0, answered: 1 },
  ])
})

test('buckets: a bound belongs to the bucket below it, the last one has no bound', () => {
  expect([0, 1000, 1001, 2000, 5_000_000, 5_000_001].map(latencyBucket)).toEqual([0, 0, 1, 1, 11, 12])
})

test('a flood of names leaves in batches of a bounded size, and nothing of it is lost', () => {
  const { delivered, flush, told } = collected()
  for (let i = 0; i < 12_000; i++) told(exchange({ name: `n${i}.example` }))
  flush()
  expect(delivered.map((batch) => batch.length)).toEqual([5000, 5000, 2000])
})

test('tallies: what was added since the last look, in the minute it was seen; drops in a row of their own', () => {
  const tallies = createCaptureTallies()
  const eth0 = { name: 'eth0', packets: 10, bytes: 1000 }
  expect(tallies.take(61_000_000, [eth0], 0)).toEqual([
    { minuteMicros: 60_000_000, interface: 'eth0', packets: 10, bytes: 1000, dropped: 0 },
  ])
  expect(tallies.take(62_000_000, [eth0], 0)).toEqual([])
  const more = { name: 'eth0', packets: 12, bytes: 1300 }
  expect(tallies.take(125_000_000, [more, { name: 'tun7', packets: 1, bytes: 60 }], 7)).toEqual([
    { minuteMicros: 120_000_000, interface: 'eth0', packets: 2, bytes: 300, dropped: 0 },
    { minuteMicros: 120_000_000, interface: 'tun7', packets: 1, bytes: 60, dropped: 0 },
    { minuteMicros: 120_000_000, interface: 'all interfaces', packets: 0, bytes: 0, dropped: 7 },
  ])
})

test('counters of a run: bounded by resolver, whoever comes later is another', () => {
  const totals = createServiceTotals()
  const { delivered, flush, told } = collected()
  for (let i = 0; i < 300; i++) told(exchange({ serverAddress: `192.0.2.${i}` }))
  flush()
  for (const rollup of [...delivered.flat(), ...delivered.flat()]) totals.dns(rollup)
  const resolvers = totals.resolvers()
  expect(resolvers.length).toBeLessThanOrEqual(101)
  expect(resolvers[0]).toMatchObject({ server: '192.0.2.0', interface: 'eth0', queries: 2, answered: 2 })
  expect(resolvers.find(({ server }) => server === 'other')).toMatchObject({ interface: '', queries: 400 })
})
