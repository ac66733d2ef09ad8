// What TLS and HTTP tell of one connection, as the visit of a site.
import { outcomeOf } from '../../../src/analysis/trackers/site-summary.ts'
import { createVisitTracker, type Visit } from '../../../src/analysis/trackers/site-visits.ts'
import type { HttpFact, TlsFact } from '../../../src/model/protocol-facts.ts'
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

describe('a connection that several sites share', () => {
  const request = (host: string): HttpFact => ({
    ...WHERE,
    kind: 'request',
    headMicros: WHERE.timeMicros,
    method: 'GET',
    url: '/',
    host,
    protocol: 'HTTP/2',
  })
  const answer = (status: number): HttpFact => ({ ...response, status, protocol: 'HTTP/2' })

  function visits(...exchanges: [HttpFact | undefined, HttpFact | undefined][]): Visit[] {
    const { handlers, takeBegun } = createVisitTracker(() => false)
    handlers.tls?.(HELLO)
    handlers.tls?.(ANSWER)
    for (const [asked, answered] of exchanges) {
      if (asked !== undefined) handlers.http?.(asked)
      if (answered !== undefined) handlers.http?.(answered)
      handlers.httpExchange?.(asked, answered)
    }
    return takeBegun()
  }
  const words = (all: Visit[]) => all.map((one) => `${one.host} ${one.http?.status} ${one.responses} ${outcomeOf(one)}`)

  test('each has its own answers', () => {
    const all = visits(
      [request('www.example.com'), answer(200)],
      [request('cdn.example.net:443'), answer(403)],
      [request('CDN.example.net'), answer(200)],
      [request('api.example.org'), undefined],
    )
    expect(words(all)).toEqual([
      'www.example.com 200 1 works',
      'cdn.example.net 403 2 fails',
      'api.example.org undefined 0 unknown',
    ])
    expect(all[1]).toMatchObject({ address: WHERE.serverAddress, port: 443, tls: undefined, unanswered: 0 })
    expect(all[2]!.unanswered).toBe(1)
  })

  test('an answer on it whose request was not seen may be anybody’s', () => {
    expect(words(visits([undefined, answer(502)]))).toEqual(['www.example.com undefined 0 works'])
    const http1 = { ...answer(502), protocol: 'HTTP/1.1' }
    expect(words(visits([undefined, http1]))).toEqual(['www.example.com 502 1 fails'])
  })

  test('there is a bound to it', () => {
    const many = Array.from({ length: 500 }, (_, index): [HttpFact, HttpFact] => [
      request(`h${index}.example`),
      answer(200),
    ])
    expect(visits(...many).length).toBeLessThan(100)
  })
})

test('an answer of which bytes are missing is not whole', () => {
  expect(visit(HELLO, ANSWER, { ...response, partial: 'lost' }).http).toMatchObject({ isPartial: true })
  expect(visit(HELLO, ANSWER, response).http).toMatchObject({ isPartial: false })
})
