import { findingsOf, lookup, PUBLIC_RESOLVER, play, TUNNEL_RESOLVER } from '../scenario.ts'

const toOwn = (atMillis: number) => lookup({ on: 'wg0', atMillis, name: 'a.example', answeredAfter: 5 })
const toPublic = (atMillis: number) =>
  lookup({ on: 'wg0', atMillis, name: 'b.example', to: PUBLIC_RESOLVER, answeredAfter: 5 })

describe('dns-resolver-not-vpn raises', () => {
  test('for a public resolver asked inside the tunnel, beside the one of the tunnel’s network', () => {
    const report = play([...toPublic(0), ...toOwn(100), ...toPublic(200)])
    expect(findingsOf(report, 'dns-resolver-not-vpn')).toMatchObject([
      {
        severity: 'info',
        confidence: 'weak',
        count: 2,
        data: { server: PUBLIC_RESOLVER, expected: [TUNNEL_RESOLVER] },
      },
    ])
    expect(report.verdict.dns).toBe('ok')
  })

  test('with more confidence when the operator named the VPN’s resolver', () => {
    const report = play(toPublic(0), { vpnResolvers: [TUNNEL_RESOLVER] })
    expect(findingsOf(report, 'dns-resolver-not-vpn')).toMatchObject([{ confidence: 'strong', count: 1 }])
  })
})

describe('dns-resolver-not-vpn stays quiet', () => {
  test('for the VPN’s own resolver', () => {
    expect(findingsOf(play(toOwn(0)), 'dns-resolver-not-vpn')).toEqual([])
  })

  test('when nothing says which resolver is the VPN’s', () => {
    expect(findingsOf(play(toPublic(0)), 'dns-resolver-not-vpn')).toEqual([])
  })

  test('for questions outside', () => {
    const report = play([...toOwn(0), ...toOwn(500), ...lookup({ on: 'eth0', atMillis: 100, name: 'c.example' })])
    expect(findingsOf(report, 'dns-resolver-not-vpn')).toEqual([])
  })
})
