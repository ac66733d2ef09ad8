import {
  findingsOf,
  LAN_RESOLVER,
  lookup,
  PUBLIC_RESOLVER,
  PUBLIC_RESOLVER_V6,
  play,
  type Step,
  TUNNEL_CLIENT,
  TUNNEL_RESOLVER,
} from '../scenario.ts'

/** The tunnel is used from 0 to 10 s, so that it is known to be up. */
const tunnelTime: Step[] = [
  ...lookup({ on: 'wg0', atMillis: 0, name: 'first.example', answeredAfter: 5 }),
  ...lookup({ on: 'wg0', atMillis: 10_000, name: 'last.example', answeredAfter: 5 }),
]

describe('dns-leak raises', () => {
  test('a question to the LAN resolver while the tunnel is up, with names, counts, evidence and filter', () => {
    const report = play([
      ...tunnelTime,
      ...lookup({ on: 'eth0', atMillis: 1000, name: 'Shop.Example', answeredAfter: 3 }),
      ...lookup({ on: 'eth0', atMillis: 1100, name: 'shop.example', type: 'AAAA', answeredAfter: 3 }),
      ...lookup({ on: 'eth0', atMillis: 1200, name: 'mail.example' }),
    ])
    expect(report.verdict.dns).toBe('mixed')
    const [finding, ...others] = findingsOf(report, 'dns-leak')
    expect(others).toEqual([])
    expect(finding).toMatchObject({
      severity: 'critical',
      cause: 'lan-forwarder',
      count: 3,
      interface: 'eth0',
      data: { server: LAN_RESOLVER, names: ['shop.example', 'mail.example'], nameCount: 2 },
      filter: `frame.interface_name == "eth0" && ip.addr == ${LAN_RESOLVER} && udp.port == 53`,
    })
    expect(finding!.evidence).toHaveLength(3)
    expect(finding!.summary).toContain('3 DNS questions for 2 names left outside the tunnel on eth0')
    expect(report.leaks.map((leak) => [leak.name, leak.type, leak.count])).toEqual([
      ['shop.example', 'A', 1],
      ['shop.example', 'AAAA', 1],
      ['mail.example', 'A', 1],
    ])
  })

  test('every question outside and none inside is a leak, not mixed', () => {
    const report = play(
      lookup({ on: 'eth0', atMillis: 1000, name: 'a.example', to: PUBLIC_RESOLVER, answeredAfter: 9 }),
      {
        tunnelUp: [0, 5000],
      },
    )
    expect(report.verdict.dns).toBe('leak')
    expect(findingsOf(report, 'dns-leak')[0]).toMatchObject({ cause: 'outside-tunnel', count: 1 })
  })

  test('around a utun that a VPN uses: something goes through it', () => {
    const report = play(
      [
        ...lookup({ on: 'utun4', atMillis: 500, from: TUNNEL_CLIENT, to: TUNNEL_RESOLVER, name: 'b.example' }),
        ...lookup({ on: 'en0', atMillis: 1000, name: 'a.example', answeredAfter: 3 }),
      ],
      {
        interfaces: [
          { name: 'en0', linkType: 1 },
          { name: 'utun4', linkType: 101 },
        ],
        tunnelUp: [0, 5000],
      },
    )
    expect(report.verdict.dns).toBe('mixed')
  })

  test('IPv6 around a tunnel that carries IPv4 only', () => {
    const report = play([
      ...tunnelTime,
      ...lookup({ on: 'eth0', atMillis: 1000, name: 'a.example', to: PUBLIC_RESOLVER_V6, answeredAfter: 9 }),
    ])
    expect(findingsOf(report, 'dns-leak')[0]).toMatchObject({
      cause: 'v6-bypass',
      basis: 'RFC 7359 4',
      advice: 'Let the VPN carry IPv6, or switch it off on eth0 while the VPN is up.',
    })
  })

  test('a repeated question with the same id and port counts as two messages of one question', () => {
    const again = { on: 'eth0', name: 'slow.example', clientPort: 40_123, id: 7 }
    const report = play([
      ...tunnelTime,
      ...lookup({ ...again, atMillis: 1000 }),
      ...lookup({ ...again, atMillis: 2000, answeredAfter: 5 }),
    ])
    expect(report.leaks).toMatchObject([{ name: 'slow.example', count: 2 }])
  })
})

describe('dns-leak stays quiet', () => {
  test('without a tunnel', () => {
    const report = play(lookup({ on: 'eth0', atMillis: 0, name: 'a.example', answeredAfter: 3 }))
    expect(report.verdict.dns).toBe('no-tunnel')
    expect(findingsOf(report, 'dns-leak')).toEqual([])
    expect(report.leaks).toEqual([])
  })

  test.each([
    ['utun0', 0],
    ['gif0', 0],
    ['p2p0', 101],
  ])('beside %s, which macOS keeps without any VPN, while nothing goes through it', (name, linkType) => {
    const report = play(lookup({ on: 'en0', atMillis: 1000, name: 'a.example', answeredAfter: 3 }), {
      interfaces: [
        { name: 'en0', linkType: 1 },
        { name, linkType },
      ],
      tunnelUp: [0, 5000],
    })
    expect(report.verdict.dns).toBe('no-tunnel')
    expect(report.leaks).toEqual([])
  })

  test('before the tunnel came up and after it was gone', () => {
    const report = play([
      ...tunnelTime,
      ...lookup({ on: 'eth0', atMillis: -500, name: 'before.example', answeredAfter: 3 }),
      ...lookup({ on: 'eth0', atMillis: 10_500, name: 'after.example', answeredAfter: 3 }),
    ])
    expect(report.verdict.dns).toBe('ok')
    expect(report.leaks).toEqual([])
  })

  test('inside the tunnel', () => {
    const report = play(tunnelTime)
    expect(report.verdict).toMatchObject({ dns: 'ok', coverage: { questionsInTunnel: 2, questionsOutside: 0 } })
    expect(findingsOf(report, 'dns-leak')).toEqual([])
  })

  test('on answers alone: the question decides', () => {
    const [, answer] = lookup({ on: 'eth0', atMillis: 1000, name: 'a.example', answeredAfter: 3 })
    const report = play([...tunnelTime, answer!])
    expect(report.leaks).toEqual([])
    expect(report.counters['unmatchedResponses']).toBe(1)
  })
})
