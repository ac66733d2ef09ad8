import { dnsAnswersDiffer } from '../../../src/analysis/detectors/dns-answers-differ.ts'
import type { OpenedConnection } from '../../../src/model/facts.ts'
import { fixtureFindings } from '../fixture-report.ts'
import { answeredExchange, liveDetector } from './live-detector.ts'

describe('dns-answers-differ raises', () => {
  test('an address inside that refuses', async () => {
    const [finding, ...others] = await fixtureFindings('dns-answers-differ', 'raises')
    expect(others).toEqual([])
    expect(finding).toMatchObject({ severity: 'warning', confidence: 'probable' })
    expect(finding!.data).toMatchObject({
      host: 'shop.example.com',
      insideAddresses: ['198.51.100.66'],
      outsideAddresses: ['203.0.113.80'],
      why: 'connections to 198.51.100.66 are refused',
    })
  })
})

test('dns-answers-differ is told live, a minute after the last new address, and again when the address inside fails', () => {
  const { handlers, raised } = liveDetector(dnsAnswersDiffer)
  handlers.dnsExchange!(answeredExchange(0, {}))
  handlers.dnsExchange!(answeredExchange(10_000, { judgement: 'expected', answers: ['203.0.113.80'] }))
  handlers.tick!(30_000_000)
  expect(raised).toEqual([])
  handlers.tick!(100_000_000)
  expect(raised).toMatchObject([{ key: 'content-networks', count: 1 }])
  const refused = { outcome: 'refused', serverAddress: '198.51.100.66' } as OpenedConnection
  handlers.connectionOpened!(refused)
  handlers.tick!(200_000_000)
  expect(raised.slice(1)).toMatchObject([{ severity: 'warning', data: { host: 'shop.example.com' } }])
  handlers.end!()
  expect(raised).toHaveLength(2)
})

describe('dns-answers-differ stays quiet', () => {
  test('on what only looks like it', async () => {
    expect(await fixtureFindings('dns-answers-differ', 'quiet')).toEqual([])
  })
})
