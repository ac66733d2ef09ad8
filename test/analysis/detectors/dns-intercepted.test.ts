import { dnsIntercepted } from '../../../src/analysis/detectors/dns-intercepted.ts'
import type { OpenedConnection } from '../../../src/model/connection-facts.ts'
import { fixtureFindings } from '../fixture-report.ts'
import { answeredExchange, liveDetector } from './live-detector.ts'

describe('dns-intercepted raises', () => {
  test('answers faster than the way there', async () => {
    const [finding, ...others] = await fixtureFindings('dns-intercepted', 'raises')
    expect(others).toEqual([])
    expect(finding).toMatchObject({ severity: 'info', data: { server: '203.0.113.53', dnsMs: 3, tcpMs: 48 } })
  })
})

test('dns-intercepted is told live, once there are twenty answers', () => {
  const { handlers, raised } = liveDetector(dnsIntercepted)
  const opened = { judgement: 'inside', interfaceId: 1, serverAddress: '203.0.113.53', handshakeMicros: 48_000 }
  handlers.connectionOpened!(opened as OpenedConnection)
  for (let index = 0; index < 19; index++) handlers.dnsExchange!(answeredExchange(index * 100, {}))
  handlers.tick!(60_000_000)
  expect(raised).toEqual([])
  handlers.dnsExchange!(answeredExchange(61_000, {}))
  handlers.tick!(120_000_000)
  expect(raised).toMatchObject([{ data: { dnsMs: 3, tcpMs: 48 } }])
  handlers.end!()
  expect(raised.map((one) => one.count ?? 1)).toEqual([1, 0])
})

describe('dns-intercepted stays quiet', () => {
  test('on what only looks like it', async () => {
    expect(await fixtureFindings('dns-intercepted', 'quiet')).toEqual([])
  })
})
