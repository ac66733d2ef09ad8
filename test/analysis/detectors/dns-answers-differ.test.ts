import { dnsAnswersDiffer } from '../../../src/analysis/detectors/dns-answers-differ.ts'
import type { OpenedConnection } from '../../../src/model/connection-facts.ts'
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

test('dns-answers-differ knows all that one side said before the other was asked, and the root has a name too', () => {
  const { handlers, raised } = liveDetector(dnsAnswersDiffer)
  const [here, there, third] = ['198.51.100.66', '198.51.100.67', '203.0.113.80']
  for (const name of ['shop.example.com', '']) {
    const nameId = name === '' ? 2 : 1
    const say = (atMillis: number, judgement: 'inside' | 'expected', ...answers: string[]) =>
      handlers.dnsExchange!(answeredExchange(atMillis, { name, nameId, judgement, answers }))
    say(0, 'inside', here!)
    say(10, 'inside', there!)
    say(20, 'inside', here!)
    say(30, 'expected', third!)
    say(40, 'expected', third!)
    say(50, 'inside', there!)
  }
  handlers.end!()
  expect(raised).toMatchObject([{ count: 2, data: { insideAddresses: [here, there], outsideAddresses: [third] } }])
  const other = liveDetector(dnsAnswersDiffer)
  other.handlers.dnsExchange!(answeredExchange(0, { answers: [here!] }))
  other.handlers.dnsExchange!(answeredExchange(10, { answers: [there!] }))
  other.handlers.dnsExchange!(answeredExchange(20, { judgement: 'expected', answers: [here!] }))
  other.handlers.end!()
  expect(other.raised).toEqual([])
})

describe('dns-answers-differ stays quiet', () => {
  test('on what only looks like it', async () => {
    expect(await fixtureFindings('dns-answers-differ', 'quiet')).toEqual([])
  })
})
