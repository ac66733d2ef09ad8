// A tunnel that carries only part of the internet (rules.md 1.1, mode split): R1 asks for a full one, so nothing is a leak;
// but the verdict says what it does not judge.
import { createNetworkHistory } from '../../src/analysis/trackers/network-history.ts'
import { networkContext } from '../network-story.ts'
import { vpnTransport } from './judgement/vpn-transport-steps.ts'
import { connect, findingsOf, lookup, play, START_MICROS, TUNNEL_RESOLVER } from './scenario.ts'

const steps = lookup({ on: 'eth0', atMillis: 10, name: 'a.example', answeredAfter: 3 })

function verdictWith(...isFull: boolean[]) {
  const network = createNetworkHistory(false)
  isFull.forEach((full, index) => {
    network.add(networkContext({ timeMicros: START_MICROS + index * 1000, tunnel: 'up', isFull: full }))
  })
  return play(steps, { more: { network } })
}

test('beside a split tunnel nothing leaks, and the verdict is not complete and says why', () => {
  const report = verdictWith(false)
  expect(report.verdict).toMatchObject({ dns: 'no-tunnel', complete: false })
  expect(report.verdict.reasons).toEqual([
    'wg0 is up and carries only part of the internet: what leaves beside a split tunnel is not judged.',
  ])
  expect(findingsOf(report, 'dns-leak')).toEqual([])
})

test('a tunnel that carries everything, or did so before, is no split one', () => {
  for (const story of [[true], [false, true], [true, false]]) {
    const { verdict } = verdictWith(...story)
    expect([story, verdict.dns, verdict.reasons.join(' ')]).toEqual([
      story,
      'leak',
      expect.not.stringContaining('split'),
    ])
  }
})

describe('from the packets alone, Tailscale without an exit node is a split tunnel', () => {
  const member = { on: 'tailscale0', from: '100.101.1.2', to: '100.100.100.100', name: 'peer.ts.net', answeredAfter: 2 }
  const mesh = [...lookup({ ...member, atMillis: 0 }), ...lookup({ ...member, atMillis: 40_000 })]
  const interfaces = [
    { name: 'eth0', linkType: 1 },
    { name: 'tailscale0', linkType: 101 },
    { name: 'wg0', linkType: 101 },
  ]

  test('what is asked beside it is no leak, whether or not its outer packets are seen', () => {
    const outer = vpnTransport('eth0', 5, '203.0.113.9')
    for (const story of [mesh, [...mesh, ...outer]]) {
      const report = play([...story, ...steps], { interfaces })
      expect(report.verdict).toMatchObject({ dns: 'no-tunnel', complete: false })
      expect(report.verdict.reasons).toEqual([
        'tailscale0 is up and carries only part of the internet: what leaves beside a split tunnel is not judged.',
      ])
      expect(report.leaks).toEqual([])
    }
  })

  test('with an exit node, or said to be the tunnel, it is a full one', () => {
    const exit = connect('tailscale0', 20, '203.0.113.80', 443, '100.101.1.2')
    expect(play([...mesh, ...exit, ...steps], { interfaces }).verdict.dns).toBe('mixed')
    expect(play([...mesh, ...steps], { interfaces, tunnels: ['tailscale0'] }).verdict.dns).toBe('mixed')
  })

  test('beside a full tunnel it does not hide that the full one was lost', () => {
    const inside = [0, 100, 200, 20_000, 20_100].flatMap((atMillis) =>
      lookup({ on: 'wg0', atMillis, name: 'in.example', answeredAfter: 5 }),
    )
    const outside = lookup({ on: 'eth0', atMillis: 10_000, name: 'b.example', to: TUNNEL_RESOLVER })
    const meanwhile = [9000, 9500, 10_500].flatMap((atMillis) => lookup({ ...member, atMillis }))
    const report = play([...mesh, ...meanwhile, ...inside, ...outside], { interfaces })
    expect(report.findings.map((one) => one.id)).toEqual(['dns-leak-window', 'tunnel-down'])
  })
})
