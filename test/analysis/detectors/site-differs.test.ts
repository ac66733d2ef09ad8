import { story as quiet } from '../../fixtures/site-differs/quiet.make.ts'
import { story as raises } from '../../fixtures/site-differs/raises.make.ts'
import { findingsOf, play } from '../scenario.ts'

const ID = 'site-differs'
const TUNNEL = { tunnelUp: [0, 8000] as [number, number] }

test('raises: 200 through one VPN server, 502 through the next', () => {
  expect(findingsOf(play(raises().steps, TUNNEL), ID)).toMatchObject([
    {
      severity: 'info',
      confidence: 'proven',
      cause: 'gateway',
      epoch: 2,
      count: 1,
      interface: 'wg0',
      basis: 'RFC 9110 15.6.3',
      data: {
        host: 'shop.example.com',
        stage: 'http',
        changed: ['location'],
        comparison: { control: { http: { status: 200 } }, test: { http: { status: 502, server: 'example-edge' } } },
      },
    },
  ])
})

test('what it says names both networks and both answers, and no MTU', () => {
  const [finding] = findingsOf(play(raises().steps, TUNNEL), ID)
  expect(finding!.summary).toContain(
    'shop.example.com fails through the VPN (WireGuard 203.0.113.133:51820) and worked through the VPN (WireGuard 203.0.113.5:51820).',
  )
  expect(finding!.summary).toContain('502 came from example-edge at 198.51.100.80')
  expect(finding!.summary).toContain('200 from the same server')
})

test('stays quiet: the same everywhere, good or bad', () => {
  expect(findingsOf(play(quiet().steps, TUNNEL), ID)).toEqual([])
})
