// What ways say together: the cause, the experiment that is already made, one sentence over it all.
import { compareWays, verdictOf } from '../../src/check/verdict.ts'
import type { CheckVerdict } from '../../src/model/check.ts'
import type { SiteComparison } from '../../src/model/comparison.ts'
import { INSIDE, OUTSIDE, type WayStory, waysOf } from './ways.ts'

interface Said {
  verdict: CheckVerdict
  sites: SiteComparison[]
}

function said(...stories: WayStory[]): Said {
  const ways = waysOf(...stories)
  const sites = compareWays(ways)
  return { sites, verdict: verdictOf('shop.example', ways, sites, []) }
}

/** Both interfaces with both resolvers; the parts hold for what goes by wg0, or for what 10.64.0.1 said. */
function crossed(through: WayStory, told: WayStory = {}): WayStory[] {
  return [
    { over: 'wg0', resolver: INSIDE, ...told, ...through },
    { over: 'eth0', resolver: OUTSIDE },
    { over: 'wg0', resolver: OUTSIDE, ...through },
    { over: 'eth0', resolver: INSIDE, ...told },
  ]
}

test('the same everywhere', () => {
  const { verdict, sites } = said(...crossed({}))
  expect(verdict).toMatchObject({
    word: 'works',
    summary: 'shop.example works the same over wg0 and eth0, whichever of 10.64.0.1 and 192.0.2.53 is asked.',
    complete: true,
  })
  expect(sites).toMatchObject([{ verdict: 'same' }])
})

test('502 through the tunnel whoever is asked: the gateway, and the location is the next thing to change', () => {
  const { verdict, sites } = said(...crossed({ status: 502 }))
  expect(verdict).toMatchObject({
    word: 'differs',
    summary: 'shop.example fails on ways 1, 3 and works on ways 2, 4: gateway or origin.',
  })
  expect(sites).toHaveLength(1)
  expect(sites[0]).toMatchObject({
    alsoIn: ['way 3'],
    changed: ['tunnel'],
    difference: { axis: 'gateway', cause: 'gateway-error', hypotheses: ['exit'] },
    next: { toggle: 'exit' },
  })
  expect(sites[0]!.summary).toContain(
    '502 came from edge at 198.51.100.80 through the VPN (wg0, WireGuard 203.0.113.10:51820), and 200 from the same server without the VPN (eth0)',
  )
})

test('403 through the tunnel is the exit’s range', () => {
  expect(said(...crossed({ status: 403 })).sites[0]!.difference).toMatchObject({
    axis: 'address-range',
    cause: 'refused',
  })
})

test('another address that fails on every interface: the resolver, proven by the other answer through the same tunnel', () => {
  const wrong: WayStory = { answers: ['198.51.100.84'], status: 502 }
  const { verdict, sites } = said(...crossed({}, wrong))
  expect(verdict.summary).toBe('shop.example fails on ways 1, 4 and works on ways 2, 3: DNS.')
  expect(sites).toHaveLength(1)
  expect(sites[0]).toMatchObject({
    changed: ['resolver'],
    control: { label: 'way 3' },
    test: { label: 'way 1' },
    difference: { axis: 'dns', cause: 'answers-differ', confidence: 'proven', hypotheses: ['resolver'] },
    settledBy: ['way 3'],
  })
  expect(sites[0]!.next).toBeUndefined()
  expect(sites[0]!.summary).toContain('while 192.0.2.53 answered 198.51.100.80 over eth0')
})

test('NXDOMAIN inside, an address outside: the resolver', () => {
  const { sites } = said(...crossed({}, { answers: [], rcode: 'NXDOMAIN' }))
  expect(sites[0]!.difference).toMatchObject({ axis: 'dns', cause: 'no-address', confidence: 'proven' })
})

test('an address on this machine instead of the site: a filter’s answer', () => {
  const { sites } = said(
    ...crossed({}, { answers: ['127.0.0.1'], skipped: 'the answer is this machine itself, or nobody' }),
  )
  expect(sites[0]!.difference).toMatchObject({ axis: 'dns', cause: 'nowhere' })
})

test('a slow resolver is told although the site works, and what it is held against differs in nothing else', () => {
  const { verdict, sites } = said(...crossed({}, { latencyMs: 700 }))
  expect(verdict).toMatchObject({ word: 'differs', summary: expect.stringContaining('but not alike: DNS') })
  expect(sites[0]).toMatchObject({ changed: ['resolver'], difference: { cause: 'slow', confidence: 'proven' } })
})

test('a certificate that is trusted outside only', () => {
  // As refusingUntrusted leaves it.
  const ways = waysOf(...crossed({ trust: 'its issuer is no CA that this machine trusts' }))
  for (const one of ways) if (one.interface === 'wg0') one.observation!.outcome = 'fails'
  expect(compareWays(ways)[0]!.difference).toMatchObject({ stage: 'tls', cause: 'certificate', basis: 'RFC 5280 6' })
})

test('no answer inside TLS, and an answer that breaks off', () => {
  const silent = said(...crossed({ request: { stage: 'answer', fault: 'no answer to the request within 10 s' } }))
    .sites[0]!
  expect(silent.difference).toMatchObject({ stage: 'http', axis: 'gateway', cause: 'no-answer' })
  expect(silent.summary).toContain('while 200 came without the VPN (eth0)')
  const broken = said(...crossed({ request: { stage: 'body', fault: 'reset', bodyLen: 700 } })).sites[0]!
  expect(broken.difference).toMatchObject({ stage: 'quality', cause: 'broken-off' })
  expect(broken.summary).toContain('broke off after 700 bytes')
})

test('a size that dies is told once for a tunnel, also where a way only fell silent', () => {
  const ways = waysOf(
    { over: 'wg0', request: { stage: 'tls', fault: 'TLS did not come to its end within 10 s' } },
    { over: 'eth0', resolver: OUTSIDE },
    { over: 'wg0', resolver: OUTSIDE, request: { stage: 'tls', fault: 'TLS did not come to its end within 10 s' } },
  )
  for (const one of ways) {
    if (one.interface === 'wg0') one.observation!.tls = { handshakes: 1, stage: 'client-hello', resets: 0, stalls: 1 }
  }
  ways[2]!.observation!.sizeLoss = { direction: 'down', smallestLost: 1420, largestDelivered: 600 }
  const sites = compareWays(ways)
  expect(sites).toMatchObject([
    { alsoIn: ['way 1'], test: { label: 'way 3' }, difference: { axis: 'mtu', cause: 'size', confidence: 'proven' } },
  ])
})

test('two lines without a VPN: the line is all that changed', () => {
  const { sites } = said({ over: 'eth0', resolver: OUTSIDE }, { over: 'wlan0', resolver: OUTSIDE, status: 502 })
  expect(sites[0]).toMatchObject({ changed: ['interface'], difference: { confidence: 'proven', hypotheses: ['exit'] } })
})

test('IPv6 that works through the tunnel does not clear the exit’s IPv4', () => {
  const v6: WayStory = { family: 6, answers: ['2001:db8:100::80'] }
  const { sites } = said(
    { over: 'wg0', status: 403 },
    { over: 'eth0', resolver: OUTSIDE },
    { over: 'wg0', ...v6 },
    { over: 'eth0', resolver: OUTSIDE, ...v6 },
  )
  const [told] = sites.filter((one) => one.verdict === 'differs')
  expect(told!.difference!.hypotheses).toEqual(['exit'])
})

test('it fails everywhere: also without the VPN, or only at what the VPN’s resolver said', () => {
  expect(said(...crossed({ status: 502 }), { over: 'eth0', resolver: OUTSIDE, status: 502 }).verdict.word).toBe(
    'differs',
  )
  const all = said({ over: 'wg0', status: 502 }, { over: 'eth0', resolver: OUTSIDE, status: 502 }).verdict
  expect(all).toMatchObject({
    word: 'fails',
    summary: 'shop.example fails on every way (502): also without the VPN, which is not to blame.',
  })
  const told = said({ over: 'wg0', status: 502 }, { over: 'eth0', resolver: INSIDE, status: 502 }).verdict
  expect(told.summary).toContain('only at what 10.64.0.1 said, which may be wrong')
})

test('one way says how it went, and that there is nothing to compare with', () => {
  expect(said({ over: 'eth0', resolver: OUTSIDE }).verdict.summary).toBe(
    'shop.example works over eth0, the only way that could be gone.',
  )
  expect(said({ over: 'eth0', resolver: OUTSIDE, status: 502 }).verdict).toMatchObject({
    word: 'fails',
    summary: 'shop.example fails on the only way that could be gone (502): there is nothing to compare with.',
  })
})

test('nothing that could be gone, or no address, is unknown', () => {
  expect(said({ skipped: 'no route leads there' }).verdict.word).toBe('unknown')
  expect(said({ answers: [], isOtherVersion: true }).verdict.summary).toContain('has an address for it')
})
