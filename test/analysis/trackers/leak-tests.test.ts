import { testOf } from '../../../src/analysis/judgement/leak-test-names.ts'
import { LEAK_TEST_PAGES } from '../../../src/constants/leak-test-pages.ts'
import { LAN_RESOLVER, lookup, PUBLIC_RESOLVER, play, type Step } from '../scenario.ts'

const tunnelTime: Step[] = [
  ...lookup({ on: 'wg0', atMillis: 0, name: 'first.example', answeredAfter: 5 }),
  ...lookup({ on: 'wg0', atMillis: 10_000, name: 'last.example', answeredAfter: 5 }),
]

describe('names of leak-test pages', () => {
  test.each([
    ['0f3a9c2e-51d7-4d0b-9f6e-2b7c1d8e4a55.test.dnsleaktest.com', 'dnsleaktest.com'],
    ['9a1b2c3d4e5f60718293a4b5c6d7e8f901234567-3.ipleak.net', 'ipleak.net'],
    ['a8f3k2m9q1.dns4.browserleaks.org', 'browserleaks.com'],
    ['7.1f2e3d4c5b6a.bash.ws', 'bash.ws'],
    ['4d3c2b1a.test.dnscheck.tools', 'dnscheck.tools'],
    ['2b7c1d8e-4a55-0f3a.dnsleak.am.i.mullvad.net', 'mullvad.net/check'],
    ['k3j2h1g0f9.dns.perfect-privacy.com', 'perfect-privacy.com'],
  ])('%s is of %s', (name, page) => {
    expect(testOf(name)?.page.page).toBe(page)
  })

  test.each([
    'www.dnsleaktest.com',
    'ipleak.net',
    'www.ipleak.net',
    'bash.ws',
    'www.bash.ws',
    'evil-bash.ws',
    'a8f3k2m9q1.example.com',
    'www.mullvad.net',
    'cdn.whoer.net',
    'test.dnsleaktest.com',
  ])('%s is of no test', (name) => {
    expect(testOf(name)).toBeUndefined()
  })

  test('no zone is listed twice', () => {
    const zones = LEAK_TEST_PAGES.map((one) => one.zone)
    expect(new Set(zones).size).toBe(zones.length)
  })
})

test('a run is told as a whole, each question with its way and what the page sees of it', () => {
  const run = 'c0ffee5ca1ab1e'
  const report = play([
    ...tunnelTime,
    ...lookup({ on: 'wg0', atMillis: 1000, name: `1.${run}.bash.ws`, answeredAfter: 9 }),
    ...lookup({ on: 'eth0', atMillis: 1100, name: `2.${run}.bash.ws`, to: PUBLIC_RESOLVER, answeredAfter: 9 }),
    ...lookup({ on: 'eth0', atMillis: 1150, name: 'bash.ws', to: PUBLIC_RESOLVER, answeredAfter: 9 }),
    ...lookup({ on: 'wg0', atMillis: 1200, name: '1.0123456789ab.bash.ws', answeredAfter: 9 }),
  ])
  expect(report.leakTests).toHaveLength(2)
  const [first] = report.leakTests
  expect(first).toMatchObject({ page: 'bash.ws', inside: 1, outside: 1 })
  const outside = first!.questions.find((one) => one.interface === 'eth0')!
  expect(outside).toMatchObject({ name: `2.${run}.bash.ws`, server: PUBLIC_RESOLVER, transport: 'udp' })
  expect(outside.explanation).toContain(`left on eth0 to ${PUBLIC_RESOLVER} outside the tunnel: the page sees`)
  expect(first!.questions.find((one) => one.interface === 'wg0')!.explanation).toContain('inside the tunnel')
  // Its probes are no leaks (X9); the page itself is asked for like any other name.
  expect(report.leaks.map((leak) => leak.name)).toEqual(['bash.ws'])
})

test('without a test page there is nothing to tell', () => {
  expect(play(tunnelTime)).toMatchObject({ leakTests: [], leakService: [] })
})

describe('the leak service level', () => {
  test('counts names and the time that their questions were outside, by day', () => {
    const DAY = 86_400_000
    const report = play(
      [
        ...lookup({ on: 'eth0', atMillis: 1000, name: 'a.example', to: LAN_RESOLVER, answeredAfter: 20 }),
        ...lookup({ on: 'eth0', atMillis: 2000, name: 'a.example', type: 'AAAA', to: LAN_RESOLVER, answeredAfter: 30 }),
        ...lookup({ on: 'eth0', atMillis: 3000, name: 'b.example', to: LAN_RESOLVER }),
        ...lookup({ on: 'eth0', atMillis: DAY, name: 'c.example', to: LAN_RESOLVER, answeredAfter: 7 }),
      ],
      { tunnelUp: [0, DAY + 10_000] },
    )
    expect(report.leakService).toEqual([
      { day: '2023-11-14', app: 'unknown', questions: 3, names: 2, outsideMs: 5050 },
      { day: '2023-11-15', app: 'unknown', questions: 1, names: 1, outsideMs: 7 },
    ])
  })

  test('is empty when nothing leaked', () => {
    expect(play(tunnelTime).leakService).toEqual([])
  })
})
