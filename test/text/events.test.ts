// What single events say: the header's rcode beside the extended one, responses of which bytes were lost, TLS drafts.
import { createTransport } from '../../src/analysis/trackers/transport.ts'
import { decodeBatch } from '../../src/decoders/decode-batch.ts'
import { createDecodedBatch } from '../../src/model/decoded-batch.ts'
import type { HttpFact } from '../../src/model/protocol-facts.ts'
import { httpEvent } from '../../src/text/event-http.ts'
import { createEventWriter } from '../../src/text/event-writer.ts'
import { tlsVersionName } from '../../src/text/tls-tables.ts'
import { WHERE } from '../analysis/trackers/feed-stream.ts'
import { batchOf, concat, dnsQuery, icmp, ipv4, udp } from '../decoders/build-packet.ts'

interface Event {
  event_type: string
  dns?: Record<string, unknown>
  icmp?: Record<string, unknown>
}

/** The events of one packet that starts at IPv4. */
function eventsOf(bytes: Uint8Array): Event[] {
  const events: Event[] = []
  const handlers = createEventWriter((line) => events.push(JSON.parse(line) as Event), {
    interfaces: [],
    withInputName: false,
  })
  const transport = createTransport({ ...handlers, flow: () => undefined }, { maxFlows: 16 })
  const batch = batchOf([{ linkType: 101, bytes }])
  const out = createDecodedBatch(1)
  decodeBatch(batch, out)
  transport.packet(batch, out, 0)
  transport.end()
  return events
}

/** An answer with one OPT record; `rcode` has twelve bits (RFC 6891 6.1.3). */
function answer(rcode: number): Uint8Array {
  const query = dnsQuery(7, 'a.example')
  const opt = [0, 0, 41, 4, 0xd0, rcode >> 4, 0, 0, 0, 0, 0]
  const header = [0, 7, 0x80, rcode & 15, 0, 1, 0, 0, 0, 0, 0, 1]
  return ipv4(17, udp(53, 1111, concat(header, query.slice(12), opt)))
}

test('rcode is the header’s; extended_rcode is there when OPT extends it', () => {
  expect(eventsOf(answer(3))[0]?.dns).toMatchObject({ rcode: 'NXDOMAIN' })
  expect(eventsOf(answer(3))[0]?.dns).not.toHaveProperty('extended_rcode')
  expect(eventsOf(answer(16))[0]?.dns).toMatchObject({ rcode: 'NOERROR', extended_rcode: 'BADVERS' })
  expect(eventsOf(answer(23))[0]?.dns).toMatchObject({ rcode: 'YXRRSET', extended_rcode: 'BADCOOKIE' })
})

test('an ICMP error is told without a quotation too, an echo is not', () => {
  expect(eventsOf(ipv4(1, icmp(3, 1, 0, new Uint8Array(0)))).map((event) => event.icmp)).toEqual([{ type: 3, code: 1 }])
  expect(eventsOf(ipv4(1, icmp(8, 0, 0, new Uint8Array(40))))).toEqual([])
  // Without even the eight bytes of its header nothing is sure.
  expect(eventsOf(ipv4(1, Uint8Array.of(3, 1, 0, 0)))).toEqual([])
})

test('the status of a response of which bytes were lost is called incomplete', () => {
  const request: HttpFact = { ...WHERE, kind: 'request', headMicros: 0, method: 'GET', url: '/a?b', bodyLen: 0 }
  const response: HttpFact = { ...WHERE, kind: 'response', headMicros: 0, status: 200, bodyLen: 10 }
  expect(httpEvent(request, response, false)).toEqual({ http_method: 'GET', url: '/a?-', status: 200, length: 10 })
  expect(httpEvent(request, { ...response, partial: 'lost' }, true)).toEqual({
    http_method: 'GET',
    url: '/a?b',
    incomplete_status: 200,
    length: 10,
  })
  expect(httpEvent(request, { ...response, partial: 'cut' }, true)).toHaveProperty('status', 200)
})

test.each([
  [0x0303, 'TLS 1.2'],
  [0x7f1c, 'TLS 1.3 draft-28'],
  [0x0a0a, '0x0a0a'],
])('version %i is %s', (version, name) => {
  expect(tlsVersionName(version)).toBe(name)
})
