import { story as quiet } from '../../fixtures/mtu-mss-clamped/quiet.make.ts'
import { story as raises } from '../../fixtures/mtu-mss-clamped/raises.make.ts'
import { fixtureFindings } from '../fixture-report.ts'
import { findingsOf, play } from '../scenario.ts'

const ID = 'mtu-mss-clamped'

test('raises: IPv4 and IPv6 servers agree on packets of 1348 bytes, less than the tunnel takes', () => {
  expect(findingsOf(play(raises().steps), ID)).toMatchObject([
    { severity: 'info', confidence: 'strong', interface: 'wg0', data: { clampedMtu: 1348, mss: 1308, mssV6: 1288 } },
  ])
})

test('stays quiet: one server with a small MSS of its own, others without', () => {
  expect(findingsOf(play(quiet().steps), ID)).toEqual([])
})

test('bears the time of the capture, also in one that is read at once', async () => {
  for (const finding of await fixtureFindings(ID, 'raises')) expect(finding.time.slice(0, 4)).not.toBe('1970')
  expect.assertions(1)
})
