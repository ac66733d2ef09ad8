// Live, one VPN server takes over from another inside one tunnel: what is told, when, and of which epoch.
import { createNetworkHistory } from '../../src/analysis/trackers/network-history.ts'
import type { SiteObservation } from '../../src/model/site.ts'
import { createStory, httpRequest, httpResponse, type Story } from '../fixtures/path-story.ts'
import { networkContext } from '../network-story.ts'
import { lookup, playAnalyzer, START_MICROS } from './scenario.ts'

const HOST = 'shop.example.com'

function visit(story: Story, atMillis: number, status: string): void {
  const answer = httpResponse(status, 'Server: edge\r\n', 'hello')
  const one = story
    .connection({ port: 80 })
    .open(atMillis)
    .out(atMillis + 30, 0, httpRequest(HOST))
  one
    .back(atMillis + 60, 0, answer)
    .ackOut(atMillis + 61, answer.length)
    .finOut(atMillis + 70)
}

/** Works through location 1; from second 5 on location 2, which answers 502 at once and again later. */
function playSwitch() {
  const story = createStory(91)
  story.wireguard(1000, '203.0.113.5')
  visit(story, 1500, '200 OK')
  story.wireguard(4800, '203.0.113.5')
  story.wireguard(5000, '203.0.113.133')
  visit(story, 5200, '502 Bad Gateway')
  visit(story, 9000, '502 Bad Gateway')
  const leak = lookup({ on: 'eth0', atMillis: 5300, name: 'leaks.example.org', answeredAfter: 5 })
  const last = lookup({ on: 'wg0', atMillis: 12_000, name: 'www.example.org', answeredAfter: 5 })
  const network = createNetworkHistory(true)
  network.add(networkContext({ timeMicros: START_MICROS }))
  network.add(networkContext({ timeMicros: START_MICROS + 900_000, tunnel: 'up' }))
  const told: { at: number; id: string; epoch: number }[] = []
  const sites: SiteObservation[] = []
  playAnalyzer([...story.steps, ...leak, ...last], {
    isLive: true,
    more: { network },
    look(analyzer, at) {
      for (const { id, epoch } of analyzer.takeFindings()) told.push({ at, id, epoch })
      sites.push(...analyzer.takeSites(100))
    },
  })
  return { told, sites, network }
}

const { told, sites, network } = playSwitch()

test('the epoch begins with the first packet to the new server', () => {
  const epochs = network.epochs.map((one) => [one.id, one.startMicros - START_MICROS, one.endpoint?.server])
  expect(epochs).toEqual([
    [1, 0, undefined],
    [2, 900_000, '203.0.113.5:51820'],
    [3, 5_000_000, '203.0.113.133:51820'],
  ])
})

test.each(['http-gateway-error', 'site-differs', 'dns-leak'])('%s is told soon, and of the new epoch only', (id) => {
  const all = told.filter((one) => one.id === id)
  expect(new Set(all.map((one) => one.epoch))).toEqual(new Set([3]))
  expect(all[0]!.at).toBeLessThan(7500)
})

test('what is kept of the site stands under the epoch it belongs to', () => {
  const kept = sites.filter((one) => one.host === HOST)
  expect(new Set(kept.map((one) => `${one.epoch} ${one.http?.status}`))).toEqual(new Set(['2 200', '3 502']))
  expect(kept.find((one) => one.epoch === 3)?.network).toMatchObject({ endpoint: '203.0.113.133:51820' })
})
