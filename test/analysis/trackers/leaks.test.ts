// The list of leaks: told by piece while it grows, whole at the end.
import { createLeakList } from '../../../src/analysis/trackers/leaks.ts'
import type { DnsExchange, EncryptedDnsFact } from '../../../src/model/dns-facts.ts'

function exchange(nameId: number, changes: Partial<DnsExchange> = {}): DnsExchange {
  const made: Partial<DnsExchange> = {
    nameId,
    name: `n${nameId}.example`,
    type: 1,
    typeName: 'A',
    serverId: 1,
    serverAddress: '192.0.2.53',
    serverPort: 53,
    transport: 'udp',
    protocol: 'dns',
    interfaceName: 'eth0',
    queryMicros: 1_000_000,
    questions: 1,
    cause: 'outside-tunnel',
    epoch: 1,
    ...changes,
  }
  return made as DnsExchange
}

const names = (leaks: readonly { name: string | null; count: number }[]) =>
  leaks.map(({ name, count }) => `${name} ${count}`)

test('what is new or counted again is taken once, as it then stands', () => {
  const list = createLeakList()
  list.add(exchange(1))
  list.add(exchange(2))
  list.add(exchange(1, { questions: 2 }))
  const taken = list.takeChanged(10)
  expect(names(taken)).toEqual(['n1.example 3', 'n2.example 1'])
  expect(list.takeChanged(10)).toEqual([])
  list.add(exchange(2))
  // What was taken is a copy.
  expect(names(taken)).toEqual(['n1.example 3', 'n2.example 1'])
  expect(names(list.takeChanged(10))).toEqual(['n2.example 2'])
  expect(names(list.all())).toEqual(['n1.example 3', 'n2.example 2'])
})

test('no more than asked for are taken, and the rest the next time', () => {
  const list = createLeakList()
  for (let id = 1; id <= 5; id++) list.add(exchange(id))
  expect(names(list.takeChanged(2))).toEqual(['n1.example 1', 'n2.example 1'])
  expect(names(list.takeChanged(9))).toEqual(['n3.example 1', 'n4.example 1', 'n5.example 1'])
})

test('an encrypted one is taken too', () => {
  const list = createLeakList()
  const fact: Partial<EncryptedDnsFact> = {
    serverAddress: '198.51.100.53',
    serverPort: 443,
    transport: 'doh',
    epoch: 1,
    cause: 'outside-tunnel',
    timeMicros: 1,
    questions: 4,
  }
  list.addEncrypted(fact as EncryptedDnsFact, 'eth0')
  expect(list.takeChanged(1)).toMatchObject([{ name: null, type: null, transport: 'doh', count: 4 }])
})
