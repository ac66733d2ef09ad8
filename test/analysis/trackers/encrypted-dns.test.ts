import { createResolverKnowledge } from '../../../src/analysis/resolver-knowledge.ts'
import { createEncryptedDnsTracker, MAX_HELD } from '../../../src/analysis/trackers/encrypted-dns.ts'
import { IPPROTO_TCP, PORT_DNS_OVER_TLS } from '../../../src/constants/wire.ts'
import type { ConnectionFact, FlowFact } from '../../../src/model/connection-facts.ts'
import type { EncryptedDnsFact } from '../../../src/model/dns-facts.ts'
import type { TlsFact } from '../../../src/model/protocol-facts.ts'

const MORE = 100

/** A connection to a resolver's port, one a microsecond. */
const place = (flowId: number): ConnectionFact => ({
  timeMicros: flowId,
  frameNumber: flowId + 1,
  interfaceId: 0,
  flowId,
  clientAddress: '192.0.2.10',
  clientPort: 40_000,
  serverAddress: '198.51.100.53',
  serverPort: PORT_DNS_OVER_TLS,
  ipVersion: 4,
})

const hello = (flowId: number) =>
  ({ ...place(flowId), kind: 'client-hello', fromClient: true, sni: 'a.example' }) as TlsFact

/** The end of a connection whose beginning was not captured. */
const unseen = (flowId: number) =>
  ({
    ...place(flowId),
    startMicros: flowId,
    ipProtocol: IPPROTO_TCP,
    bytesToClient: 1000,
    bytesToServer: 1000,
    rttMillis: -1,
  }) as FlowFact

function tracker() {
  const told: EncryptedDnsFact[] = []
  const answered: number[] = []
  const made = createEncryptedDnsTracker(createResolverKnowledge([]), (fact) => {
    told.push(fact)
    return () => answered.push(fact.flowId)
  })
  return { made, told, answered }
}

describe('connections to encrypted resolvers', () => {
  test.each([
    ['with a hello', (made: ReturnType<typeof tracker>['made'], flowId: number) => made.tls(hello(flowId))],
    ['seen from the middle', (made: ReturnType<typeof tracker>['made'], flowId: number) => made.flow(unseen(flowId))],
  ])('%s: those that came first make room, each is told once and in order', (_, begin) => {
    const { made, told } = tracker()
    for (let flowId = 0; flowId < MAX_HELD; flowId++) begin(made, flowId)
    expect(told).toHaveLength(0)
    for (let flowId = MAX_HELD; flowId < MAX_HELD + MORE; flowId++) begin(made, flowId)
    expect(told.length).toBeGreaterThanOrEqual(MORE)
    made.end()
    expect(told.map((fact) => fact.flowId)).toEqual(Array.from({ length: MAX_HELD + MORE }, (__, index) => index))
  })

  test('those that began before the deadline are told, the others wait', () => {
    const { made, told } = tracker()
    for (const flowId of [1, 2, 3]) made.tls(hello(flowId))
    made.settle(1)
    expect(told).toHaveLength(0)
    made.settle(3)
    expect(told.map((fact) => fact.flowId)).toEqual([1, 2])
  })

  test('a fact has the place of its connection and what was read of it', () => {
    const { made, told } = tracker()
    made.tls(hello(7))
    made.end()
    expect(told[0]).toMatchObject({
      ...place(7),
      ipProtocol: IPPROTO_TCP,
      host: 'a.example',
      transport: 'dot',
      evidence: 'port',
    })
  })

  test('that the server answered is told also of a connection that had to make room', () => {
    const { made, answered } = tracker()
    for (let flowId = 0; flowId <= MAX_HELD; flowId++) made.tls(hello(flowId))
    made.flow(unseen(0))
    expect(answered).toEqual([0])
  })
})
