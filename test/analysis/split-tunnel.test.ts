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

describe('from the packets alone, a tunnel into private networks while the internet is reached beside it is a split one', () => {
  const CORP = '10.20.0.7'
  const corpName = lookup({
    on: 'wg0',
    atMillis: 0,
    name: 'wiki.corp.example',
    answeredAfter: 2,
    answers: [{ type: 'A', name: 'wiki.corp.example', data: CORP }],
  })
  const corp = [...corpName, ...connect('wg0', 5, CORP, 443), ...connect('wg0', 5000, CORP, 443)]
  const outside = [
    ...lookup({
      on: 'eth0',
      atMillis: 100,
      name: 'news.example',
      answeredAfter: 3,
      answers: [{ type: 'A', name: 'news.example', data: '203.0.113.80' }],
    }),
    ...connect('eth0', 110, '203.0.113.80', 443),
  ]
  const reason = 'wg0 is up and carries only part of the internet: what leaves beside a split tunnel is not judged.'

  test('nothing beside it is a leak, with or without its outer packets', () => {
    for (const story of [corp, [...corp, ...vpnTransport('eth0', 5, '198.51.100.9')]]) {
      const report = play([...story, ...outside])
      expect(report.verdict).toMatchObject({ dns: 'no-tunnel', complete: false })
      expect(report.verdict.reasons).toContain(reason)
      expect(report.leaks).toEqual([])
      expect(findingsOf(report, 'traffic-outside-tunnel')).toEqual([])
    }
  })

  test.each([
    ['said to be the tunnel', corp, outside, { tunnels: ['wg0'] }],
    ['that carries a public address too', [...corp, ...connect('wg0', 50, '203.0.113.81', 443)], outside, {}],
    [
      'whose resolver is asked for the internet’s names: then all names are its own',
      [
        ...corp,
        ...lookup({
          on: 'wg0',
          atMillis: 50,
          name: 'shop.example',
          answeredAfter: 2,
          answers: [{ type: 'A', name: 'shop.example', data: '203.0.113.90' }],
        }),
      ],
      outside,
      {},
    ],
    [
      'of which only its resolver is known',
      [...corpName, ...lookup({ on: 'wg0', atMillis: 5000, name: 'b.corp.example' })],
      outside,
      {},
    ],
    [
      'beside which nothing on the internet is reached',
      corp,
      lookup({ on: 'eth0', atMillis: 100, name: 'a.example' }),
      {},
    ],
    [
      'beside which only the VPN server is reached',
      [...corp, ...vpnTransport('eth0', 5, '198.51.100.9')],
      [...connect('eth0', 1, '198.51.100.9', 443), ...lookup({ on: 'eth0', atMillis: 100, name: 'a.example' })],
      {},
    ],
  ])('a tunnel %s is judged as a full one', (_, inside, beside, options) => {
    expect(play([...inside, ...beside], options).verdict.dns).toBe('mixed')
  })
})
