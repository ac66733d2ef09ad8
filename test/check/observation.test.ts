// What came of a way, as the comparison sees it: the packets where they show it, our own request where TLS hides it.
import { findingOf, refusingUntrusted } from '../../src/check/observation.ts'
import { context, outcome, SITE, seen, type WayStory } from './ways.ts'

const found = (story: WayStory, over = 'wg0') => findingOf(outcome({ over, ...story }), undefined, context(over))

test('an answer inside TLS is the site’s own, with status, server, times and certificate', () => {
  const { observation, fault } = found({ status: 502, server: 'nginx' })
  expect(fault).toBeUndefined()
  expect(observation).toMatchObject({
    host: 'shop.example',
    outcome: 'fails',
    visits: 1,
    failures: 1,
    network: { tunnel: 'up', boundTo: 'wg0', interface: 'wg0', family: 4, endpoint: '203.0.113.10:51820' },
    dns: { server: '10.64.0.1', interface: 'wg0', answered: 1, answers: [SITE], rcode: 'NOERROR' },
    addresses: [{ address: SITE }],
    tcp: { tried: 1, answered: 1, rttMs: 10 },
    tls: { stage: 'established', version: 'TLS 1.3', certificate: { issuer: 'CN=a CA' } },
    http: { status: 502, server: 'nginx', address: SITE, path: '/', firstByteMs: 20 },
    request: { stage: 'done' },
  })
})

test.each([200, 204, 301, 401, 404, 500])('status %d works: the site answers', (status) => {
  expect(found({ status }).observation.outcome).toBe('works')
})

test.each([403, 429, 451, 502, 503, 504, 511])('status %d fails', (status) => {
  expect(found({ status }).observation.outcome).toBe('fails')
})

test('what the packets showed stays: times, evidence, sizes that died', () => {
  const packets = seen({
    outcome: 'fails',
    dns: {
      server: '10.64.0.1',
      interface: 'wg0',
      questions: 1,
      answered: 1,
      timedOut: 0,
      latencyMs: 1.5,
      rcode: 'NOERROR',
      answers: [SITE],
    },
    tls: { handshakes: 1, stage: 'client-hello', resets: 0, stalls: 1 },
    sizeLoss: { direction: 'down', smallestLost: 1420, largestDelivered: 600 },
  })
  const made = findingOf(
    outcome({ request: { stage: 'tls', fault: 'TLS did not come to its end within 10 s' } }),
    packets,
    context('wg0'),
  )
  expect(made.fault).toContain('TLS did not come')
  expect(made.observation).toMatchObject({
    outcome: 'fails',
    dns: { latencyMs: 1.5 },
    tcp: { rttMs: 9 },
    tls: { stage: 'client-hello', stalls: 1 },
    sizeLoss: { smallestLost: 1420 },
    evidence: [{ frame: 7 }],
  })
})

test('a handshake that came to its end is no stalled one, whatever a pause in it looked like', () => {
  const packets = seen({ tls: { handshakes: 1, stage: 'server-hello', version: 'TLS 1.3', resets: 0, stalls: 0 } })
  const { observation } = findingOf(outcome(), packets, context('wg0'))
  expect(observation.tls).toMatchObject({ stage: 'established', handshakes: 1 })
  expect(observation.outcome).toBe('works')
})

test('a name that the resolver does not know fails, an IP version it has no address in does not', () => {
  expect(found({ answers: [], rcode: 'NXDOMAIN' })).toMatchObject({
    fault: 'NXDOMAIN',
    observation: { outcome: 'fails', visits: 0 },
  })
  expect(found({ answers: [], family: 6, isOtherVersion: true })).toMatchObject({
    fault: 'no IPv6 address',
    observation: { outcome: 'unknown' },
  })
})

test('silence of the resolver fails; one where nobody listens counts as not answered too', () => {
  expect(found({ answers: [], noAnswer: 'no answer' })).toMatchObject({
    fault: '10.64.0.1: no answer',
    observation: { outcome: 'fails', dns: { questions: 1, answered: 0, timedOut: 1 } },
  })
  const undecided = { server: '10.64.0.1', interface: 'wg0', questions: 1, answered: 0, timedOut: 0, answers: [] }
  const made = findingOf(
    outcome({ answers: [], noAnswer: 'nobody listens there' }),
    seen({ visits: 0, dns: undecided }),
    context('wg0'),
  )
  expect(made.observation).toMatchObject({ outcome: 'fails', dns: { timedOut: 1 } })
})

test('an answer that is this machine itself fails without a connection', () => {
  const made = found({ answers: ['127.0.0.1'], skipped: 'the answer is this machine itself, or nobody' })
  expect(made).toMatchObject({ observation: { outcome: 'fails', visits: 0, dns: { answers: ['127.0.0.1'] } } })
})

test('what never left this machine is nobody else’s fault, where the capture lost nothing', () => {
  const whole = context('eth0', { isWholeCapture: true })
  const silent = outcome({
    over: 'eth0',
    request: { stage: 'connect', fault: 'no answer to the connection within 5 s' },
  })
  const kept = findingOf(silent, undefined, whole)
  expect(kept).toMatchObject({
    fault: expect.stringContaining('no packet left this machine'),
    observation: { outcome: 'unknown' },
  })
  expect(findingOf(silent, seen(), whole).observation.outcome).toBe('fails')
  expect(findingOf(silent, undefined, context('eth0')).observation.outcome).toBe('fails')
  const dead = outcome({
    over: 'eth0',
    request: { stage: 'connect', fault: 'the host cannot be reached', code: 'EHOSTUNREACH' },
  })
  expect(findingOf(dead, undefined, whole).fault).toContain('the router of that link does not answer')
  const unasked = outcome({ over: 'eth0', answers: [], noAnswer: 'this machine’s firewall refuses it' })
  expect(findingOf(unasked, undefined, whole)).toMatchObject({
    fault: expect.stringContaining('the question never left this machine'),
    observation: { outcome: 'unknown' },
  })
})

test('what was not tried, or stopped by the person, says nothing', () => {
  expect(found({ skipped: 'no route leads there' })).toMatchObject({
    fault: 'no route leads there',
    observation: { outcome: 'unknown' },
  })
  expect(found({ request: { stage: 'answer', fault: 'interrupted' } }).observation.outcome).toBe('unknown')
  expect(found({ answers: [], noAnswer: 'interrupted' }).observation.outcome).toBe('unknown')
})

test('a certificate that is trusted on another way makes one that is not fail; trusted nowhere, the ways are alike', () => {
  const good = found({ over: 'eth0' }, 'eth0')
  const bad = found({ trust: 'it is signed by itself' })
  expect(refusingUntrusted([good, bad]).map((one) => one.observation.outcome)).toEqual(['works', 'fails'])
  expect(refusingUntrusted([good, bad])[1]!.fault).toContain('it is signed by itself')
  expect(refusingUntrusted([bad, bad]).map((one) => one.observation.outcome)).toEqual(['works', 'works'])
  const refused = found({ trust: 'it is signed by itself', status: 502 })
  expect(refusingUntrusted([good, refused])[1]!.fault).toBeUndefined()
})
