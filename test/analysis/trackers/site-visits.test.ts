// What TLS and HTTP tell of one connection, as the visit of a site.
import { outcomeOf } from '../../../src/analysis/trackers/site-summary.ts'
import { createVisitTracker, type Visit } from '../../../src/analysis/trackers/site-visits.ts'
import type { HttpFact, TlsFact } from '../../../src/model/facts.ts'
import { WHERE } from './feed-stream.ts'

const HELLO: TlsFact = { ...WHERE, kind: 'client-hello', fromClient: true, sni: 'www.example.com' }
const ANSWER: TlsFact = { ...WHERE, kind: 'server-hello', fromClient: false, version: 0x0304 }
const alert = (alertLevel: number, alertDescription: number, fromClient = false): TlsFact => ({
  ...WHERE,
  kind: 'alert',
  fromClient,
  alertLevel,
  alertDescription,
})
const response: HttpFact = { ...WHERE, kind: 'response', headMicros: WHERE.timeMicros, status: 200, bodyLen: 5 }

function visit(...facts: (TlsFact | HttpFact)[]): Visit {
  const { handlers, takeBegun } = createVisitTracker(() => false)
  for (const fact of facts) {
    if (fact.kind === 'response') handlers.httpExchange?.(undefined, fact)
    else handlers.tls?.(fact as TlsFact)
  }
  return takeBegun()[0]!
}

test.each([
  ['close_notify', alert(1, 0)],
  ['close_notify at a level that it does not have', alert(2, 0)],
  ['user_canceled', alert(1, 90, true)],
  ['a warning that a name is not known, after which TLS goes on', alert(1, 112)],
  ['a warning that there is no renegotiation', alert(1, 100)],
])('%s is no failure', (_name, fact) => {
  const one = visit(HELLO, ANSWER, fact)
  expect([one.tls!.alert, outcomeOf(one)]).toEqual([undefined, 'works'])
})

test('an alert of either side that ends the handshake is one', () => {
  for (const fact of [alert(2, 40), alert(2, 48, true)]) expect(outcomeOf(visit(HELLO, ANSWER, fact))).toBe('fails')
})

test('an alert of a side that had sent content is not about the handshake', () => {
  const one = visit(HELLO, ANSWER, { ...alert(2, 50), afterContent: true })
  expect([one.tls!.alert, outcomeOf(one)]).toEqual([undefined, 'works'])
})

test('what the server says only under encryption: its protocol, not how far TLS came', () => {
  const extensions: TlsFact = { ...WHERE, kind: 'encrypted-extensions', fromClient: false, serverAlpn: 'h2' }
  expect(visit(HELLO, ANSWER, extensions).tls).toMatchObject({ stage: 'server-hello', alpn: 'h2' })
})

test('the issuer is that of the server, also where the client shows a certificate of its own', () => {
  const certificate = (fromClient: boolean, issuer: string): TlsFact => ({
    ...WHERE,
    kind: 'certificate',
    fromClient,
    subject: '',
    issuer,
  })
  const one = visit(HELLO, ANSWER, certificate(false, 'CN=Public CA'), certificate(true, 'CN=Our CA'))
  expect(one.tls).toMatchObject({ stage: 'certificate', issuer: 'CN=Public CA' })
})

test('an answer of which bytes are missing is not whole', () => {
  expect(visit(HELLO, ANSWER, { ...response, partial: 'lost' }).http).toMatchObject({ isPartial: true })
  expect(visit(HELLO, ANSWER, response).http).toMatchObject({ isPartial: false })
})
