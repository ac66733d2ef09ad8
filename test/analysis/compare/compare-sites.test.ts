import { compareSite, compareSites } from '../../../src/analysis/compare/compare-sites.ts'
import type { LabelledObservation } from '../../../src/model/comparison.ts'
import type { SiteObservation } from '../../../src/model/site.ts'

const HOST = 'shop.example.com'
const RIGHT = '198.51.100.80'
const WRONG = '198.51.100.84'

type Parts = Partial<Omit<SiteObservation, 'network' | 'dns' | 'http'>> & {
  endpoint?: string
  resolver?: string
  address?: string
  asn?: number
  status?: number
  latencyMs?: number
}

/** A site that works without a VPN, at RIGHT, asked of the ISP's resolver, unless `parts` say otherwise. */
function seen(label: string, parts: Parts = {}): LabelledObservation {
  const { endpoint, resolver = '192.0.2.53', address = RIGHT, asn, status = 200, latencyMs = 2, ...more } = parts
  const observation: SiteObservation = {
    host: HOST,
    epoch: 1,
    first: `2026-01-15T12:00:0${label.length % 10}.000000Z`,
    last: '2026-01-15T12:00:09.000000Z',
    network: endpoint === undefined ? { tunnel: 'none' } : { tunnel: 'up', endpoint, transport: 'WireGuard' },
    outcome: status >= 400 ? 'fails' : 'works',
    visits: 1,
    failures: status >= 400 ? 1 : 0,
    dns: {
      server: resolver,
      interface: 'eth0',
      questions: 1,
      answered: 1,
      timedOut: 0,
      latencyMs,
      rcode: 'NOERROR',
      answers: [address],
    },
    addresses: [{ address, ...(asn === undefined ? {} : { asn }) }],
    tcp: { tried: 1, answered: 1, refused: 0, silent: 0, packets: 10, retransmissions: 0, bytesToClient: 500 },
    http: {
      responses: 1,
      status,
      unanswered: 0,
      address,
      server: 'edge',
      bodyLen: 20,
      frame: 7,
      source: 'a.pcapng',
    },
    evidence: [{ source: 'a.pcapng', frame: 7 }],
    ...more,
  }
  return { label, observation }
}

test('the same everywhere is no difference that matters', () => {
  const [one] = compareSite([seen('none'), seen('vpn', { endpoint: 'a', resolver: '10.64.0.1' })])
  expect(one).toMatchObject({ verdict: 'same', changed: ['tunnel', 'resolver'] })
  expect(one!.summary).toContain('no difference that matters')
})

test('a 502 at the same address: gateway or origin, strong for a tunnel, proven for one change of location', () => {
  const fails = seen('vpn', { endpoint: 'a', resolver: '10.64.0.1', status: 502 })
  expect(compareSite([seen('none'), fails])[0]).toMatchObject({
    difference: { stage: 'http', axis: 'gateway', confidence: 'strong', hypotheses: ['exit'] },
    next: { toggle: 'exit' },
  })
  const other = seen('vpn-2', { endpoint: 'b', resolver: '10.64.0.1' })
  const [one] = compareSite([seen('none'), fails, other])
  expect(one).toMatchObject({
    control: { label: 'vpn-2' },
    changed: ['location'],
    difference: { axis: 'gateway', confidence: 'proven' },
    settledBy: ['vpn-2'],
  })
  expect(one!.next).toBeUndefined()
})

test('a 502 is never blamed on the path MTU, also where a size died', () => {
  const [one] = compareSite([seen('none'), seen('vpn', { endpoint: 'a', status: 502 })])
  expect(one!.difference).toMatchObject({ axis: 'gateway' })
  expect(one!.summary).toContain('Not a leak, not MTU.')
})

test('a 502 where TLS hid the answer without the VPN: no more than probable, and said so', () => {
  const hidden = seen('none')
  delete hidden.observation.http
  hidden.observation.tls = { handshakes: 1, stage: 'established', resets: 0, stalls: 0 }
  const [one] = compareSite([hidden, seen('vpn', { endpoint: 'a', status: 502 })])
  expect(one!.difference).toMatchObject({ axis: 'gateway', confidence: 'probable', hypotheses: ['exit'] })
  expect(one!.summary).toContain(`while TLS with ${RIGHT} came to its end without the VPN and hid what was answered`)
})

test('bodies that differ in length are perhaps other pages, but not where one of them was not seen whole', () => {
  const long = seen('none')
  long.observation.http!.bodyLen = 20_000
  const short = seen('vpn', { endpoint: 'a' })
  short.observation.http!.bodyLen = 5000
  const [one] = compareSite([long, short])
  expect(one!.difference).toMatchObject({ cause: 'other-body', confidence: 'weak' })
  short.observation.http!.partial = true
  expect(compareSite([long, short])[0]).toMatchObject({ verdict: 'same' })
})

test('a 403 is the address range of the exit', () => {
  const [one] = compareSite([seen('none'), seen('vpn', { endpoint: 'a', status: 403 })])
  expect(one!.difference).toMatchObject({ axis: 'address-range', cause: 'refused' })
})

test('a 502 of a private address was made by software on this machine', () => {
  const local = seen('vpn', { endpoint: 'a', status: 502 })
  local.observation.http!.address = '127.0.0.1'
  delete local.observation.dns
  expect(compareSite([seen('none'), local])[0]!.difference).toMatchObject({ axis: 'local', cause: 'local-proxy' })
})

describe('location and resolver changed at once', () => {
  const before = seen('none', { endpoint: 'a', resolver: '10.64.0.1' })
  const after = seen('vpn', { endpoint: 'b', resolver: '10.99.0.1', address: WRONG, status: 502 })

  test('the confidence is capped, and the toggle that tells both apart is proposed', () => {
    const [one] = compareSite([before, after])
    expect(one).toMatchObject({
      changed: ['location', 'resolver'],
      difference: { axis: 'dns', confidence: 'probable', hypotheses: ['resolver', 'exit'] },
      next: { toggle: 'resolver' },
    })
    expect(one!.next!.instruction).toContain(RIGHT)
    expect(one!.next!.ifItFails).toContain('exit')
  })

  test('doing it settles it: works with the right answer at the new location, the answer was wrong', () => {
    const toggled = seen('tried', { endpoint: 'b', resolver: '10.64.0.1' })
    expect(compareSite([before, after, toggled])[0]).toMatchObject({
      difference: { axis: 'dns', confidence: 'proven', hypotheses: ['resolver'] },
      settledBy: ['tried'],
    })
  })

  test('doing it settles it: fails with the right answer too, the exit is to blame', () => {
    const toggled = seen('tried', { endpoint: 'b', resolver: '10.64.0.1', status: 502 })
    const found = compareSite([before, after, toggled]).find((one) => one.test?.label === 'vpn')
    expect(found).toMatchObject({ difference: { hypotheses: ['exit'] }, settledBy: ['tried'] })
  })
})

test('the proposed address tried in the same context: it works there, so the answer was wrong', () => {
  const after = seen('vpn', { endpoint: 'b', resolver: '10.99.0.1', address: WRONG, status: 502 })
  const tries = [
    { address: WRONG, outcome: 'fails' as const, visits: 2 },
    { address: RIGHT, outcome: 'works' as const, visits: 1 },
  ]
  Object.assign(after.observation, { tries })
  const [one] = compareSite([seen('none'), after])
  expect(one).toMatchObject({ difference: { confidence: 'proven', hypotheses: ['resolver'] }, settledBy: ['vpn'] })
  expect(one!.next).toBeUndefined()
  expect(one!.summary).toContain(`At ${RIGHT} it works through the VPN`)
})

test('addresses of one autonomous system are the same answer', () => {
  const control = seen('none', { asn: 64_500 })
  const [one] = compareSite([control, seen('vpn', { endpoint: 'a', address: WRONG, asn: 64_500, status: 502 })])
  expect(one!.difference).toMatchObject({ stage: 'http', axis: 'gateway' })
  expect(one!.summary).toContain('same AS')
})

test('a slow resolver is told though the site works; a few milliseconds are not', () => {
  const slow = (latencyMs: number) => compareSite([seen('none'), seen('vpn', { endpoint: 'a', latencyMs })])[0]
  expect(slow(700)).toMatchObject({ verdict: 'differs', difference: { axis: 'dns', cause: 'slow' } })
  expect(slow(60)).toMatchObject({ verdict: 'same' })
})

test('no address from the resolver inside', () => {
  const refused = seen('vpn', { endpoint: 'a', resolver: '10.64.0.1', status: 599 })
  Object.assign(refused.observation.dns!, { rcode: 'NXDOMAIN', answers: [], extendedErrors: ['15 Blocked'] })
  refused.observation.addresses = []
  const [one] = compareSite([seen('none'), refused])
  expect(one!.difference).toMatchObject({ axis: 'dns', cause: 'no-address', hypotheses: ['resolver'] })
  expect(one!.summary).toContain('15 Blocked')
})

test('a site that fails without the VPN too is not its fault', () => {
  const [one] = compareSite([seen('none', { status: 503 }), seen('vpn', { endpoint: 'a', status: 503 })])
  expect(one).toMatchObject({ verdict: 'fails-everywhere' })
  expect(one!.summary).toContain('not to blame')
})

describe('a name that was only asked for', () => {
  /** Asked for in `label`'s network, without a connection. */
  function asked(label: string, parts: Parts = {}, dns: object = {}): LabelledObservation {
    const one = seen(label, { visits: 0, failures: 0, outcome: 'unknown', addresses: [], ...parts })
    for (const key of ['tcp', 'http'] as const) delete one.observation[key]
    Object.assign(one.observation.dns!, dns)
    return one
  }
  const none = asked('none')
  const NO_ADDRESS = { rcode: 'NXDOMAIN', answers: [] }

  test('stands for the same in both: no difference that matters', () => {
    expect(compareSites([none, asked('vpn', { endpoint: 'a', resolver: '10.64.0.1' })])).toMatchObject([
      { verdict: 'same', works: [], fails: [] },
    ])
  })

  test('has an address in one and none in the other: DNS, though nobody went there', () => {
    const gone = asked('vpn', { endpoint: 'a', resolver: '10.64.0.1', outcome: 'fails' }, NO_ADDRESS)
    expect(compareSites([none, gone])).toMatchObject([
      { verdict: 'differs', difference: { axis: 'dns', cause: 'no-address' }, control: { label: 'none' } },
    ])
  })

  test('is no proof that a site works: a failure elsewhere has nothing to be held against', () => {
    const [one] = compareSites([none, seen('vpn', { endpoint: 'a', status: 502 })])
    expect(one).toMatchObject({ verdict: 'not-comparable', fails: ['vpn'] })
  })

  test('in one context only, or without an address in all of them, is nothing to tell', () => {
    expect(compareSites([none])).toEqual([])
    const gone = (label: string) => asked(label, { outcome: 'fails' }, NO_ADDRESS)
    expect(compareSites([gone('none'), gone('vpn')])).toEqual([])
  })

  test('slower answers of names alone are not told one by one', () => {
    expect(compareSites([none, asked('vpn', { endpoint: 'a', latencyMs: 900 })])).toMatchObject([{ verdict: 'same' }])
  })
})

test('one context is nothing to compare', () => {
  expect(compareSite([seen('none')])[0]).toMatchObject({ verdict: 'not-comparable' })
})
