import { createStory, httpRequest, httpResponse, type Story } from '../../fixtures/path-story.ts'
import { lookup, play, playAnalyzer, type Step } from '../scenario.ts'

const HOST = 'shop.example.com'
const SITE = '198.51.100.80'
const TUNNEL = { tunnelUp: [2000, 9000] as [number, number] }

/** A request to HOST on `on` that is answered with `status`. */
function visit(story: Story, on: 'eth0' | 'wg0', atMillis: number, status: string): void {
  const answer = httpResponse(status, 'Server: edge\r\nVia: 1.1 gate\r\nCF-RAY: 7d1f-FRA\r\n', 'hello')
  const one = story
    .connection({ on, port: 80 })
    .open(atMillis)
    .out(atMillis + 30, 0, httpRequest(`${HOST}:80`))
  one
    .back(atMillis + 70, 0, answer)
    .ackOut(atMillis + 71, answer.length)
    .finOut(atMillis + 80)
}

function sitesOf(story: Story, ...more: Step[][]) {
  return play([...story.steps, ...more.flat()], TUNNEL).sites
}

test('one observation for each epoch: resolver, answers, chain, address, MSS, round trip, HTTP', () => {
  const story = createStory(5)
  visit(story, 'eth0', 500, '200 OK')
  visit(story, 'wg0', 3000, '502 Bad Gateway')
  const answers = [
    { type: 'CNAME' as const, name: HOST, data: 'edge.example.net' },
    { type: 'A' as const, name: 'edge.example.net', data: SITE },
  ]
  const sites = sitesOf(
    story,
    lookup({ on: 'eth0', atMillis: 400, name: HOST, answeredAfter: 12, answers }),
    lookup({ on: 'wg0', atMillis: 2900, name: HOST, answeredAfter: 30, answers }),
  )
  expect(sites).toHaveLength(2)
  expect(sites[0]).toMatchObject({
    host: HOST,
    epoch: 1,
    outcome: 'works',
    network: { tunnel: 'none', interface: 'eth0', family: 4 },
    dns: { server: '192.0.2.53', latencyMs: 12, rcode: 'NOERROR', answers: [SITE], chain: ['edge.example.net'] },
    addresses: [{ address: SITE }],
    tcp: { tried: 1, answered: 1, rttMs: 20.1, mssToServer: 1380, mssToClient: 1460 },
    http: { status: 200, server: 'edge', via: '1.1 gate', cfRay: '7d1f-FRA', bodyLen: 5, firstByteMs: 40 },
  })
  expect(sites[1]).toMatchObject({
    epoch: 2,
    outcome: 'fails',
    network: { tunnel: 'up', interface: 'wg0' },
    dns: { server: '10.64.0.1', latencyMs: 30 },
    http: { status: 502 },
  })
})

test('a name that is not resolved fails, also without a connection', () => {
  const story = createStory(6)
  visit(story, 'eth0', 500, '200 OK')
  const answers = [{ type: 'A' as const, name: HOST, data: SITE }]
  const sites = sitesOf(
    story,
    lookup({ on: 'eth0', atMillis: 400, name: HOST, answeredAfter: 12, answers }),
    lookup({ on: 'wg0', atMillis: 2900, name: HOST, answeredAfter: 30, rcode: 'NXDOMAIN' }),
  )
  expect(sites[1]).toMatchObject({ epoch: 2, outcome: 'fails', visits: 0, dns: { rcode: 'NXDOMAIN', answers: [] } })
})

test('a connection that nobody takes belongs to the site whose answer gave its address', () => {
  const story = createStory(8)
  story.connection({ on: 'wg0', port: 443 }).knock(3000).knock(4000).knock(6000)
  const answers = [{ type: 'A' as const, name: HOST, data: SITE }]
  const sites = sitesOf(story, lookup({ on: 'wg0', atMillis: 2900, name: HOST, answeredAfter: 30, answers }))
  expect(sites).toMatchObject([{ host: HOST, outcome: 'fails', tcp: { tried: 1, answered: 0, silent: 1 } }])
})

test('the loser of Happy Eyeballs is no failure', () => {
  const story = createStory(9)
  visit(story, 'wg0', 3100, '200 OK')
  story.connection({ on: 'wg0', port: 80, client: 'fd00:64::2', server: '2001:db8:100::80' }).knock(3000)
  const v4 = [{ type: 'A' as const, name: HOST, data: SITE }]
  const v6 = [{ type: 'AAAA' as const, name: HOST, data: '2001:db8:100::80' }]
  const sites = sitesOf(
    story,
    lookup({ on: 'wg0', atMillis: 2900, name: HOST, answeredAfter: 30, answers: v4 }),
    lookup({ on: 'wg0', atMillis: 2901, name: HOST, type: 'AAAA', answeredAfter: 30, answers: v6 }),
  )
  expect(sites).toMatchObject([{ outcome: 'works', visits: 2, failures: 1 }])
})

test('addresses that did not do alike are told apart; those that did are not', () => {
  const story = createStory(12)
  visit(story, 'wg0', 3000, '502 Bad Gateway')
  expect(sitesOf(story)[0]!.tries).toBeUndefined()
  const answer = httpResponse('200 OK', 'Server: edge\r\n', 'hello')
  const one = story.connection({ on: 'wg0', port: 80, server: '198.51.100.99' }).open(4000)
  one.out(4030, 0, httpRequest(HOST)).back(4070, 0, answer).ackOut(4071, answer.length)
  expect(sitesOf(story)[0]).toMatchObject({
    outcome: 'fails',
    tries: [
      { address: SITE, outcome: 'fails', visits: 1 },
      { address: '198.51.100.99', outcome: 'works', visits: 1 },
    ],
  })
})

test('names without a connection are sites only for who asks for them', () => {
  const answers = [{ type: 'A' as const, name: HOST, data: SITE }]
  const steps = [
    ...lookup({ on: 'eth0', atMillis: 400, name: HOST, answeredAfter: 12, answers }),
    ...lookup({ on: 'wg0', atMillis: 2900, name: HOST, answeredAfter: 30, answers }),
  ]
  expect(play(steps, TUNNEL).sites).toEqual([])
  expect(play(steps, { ...TUNNEL, more: { namesAreSites: true } }).sites).toMatchObject([
    { host: HOST, epoch: 1, visits: 0, outcome: 'unknown', dns: { answers: [SITE] } },
    { host: HOST, epoch: 2, visits: 0, outcome: 'unknown', dns: { answers: [SITE] } },
  ])
})

test('who keeps observations gets each one once, and again when it has changed', () => {
  const story = createStory(11)
  visit(story, 'eth0', 500, '200 OK')
  visit(story, 'wg0', 3000, '502 Bad Gateway')
  const analyzer = playAnalyzer(story.steps, TUNNEL)
  expect(analyzer.takeSites(1)).toMatchObject([{ host: HOST, epoch: 1 }])
  expect(analyzer.takeSites(9)).toMatchObject([{ host: HOST, epoch: 2, http: { status: 502 } }])
  expect(analyzer.takeSites(9)).toEqual([])
})

test('a connection without a name is no site', () => {
  const story = createStory(10)
  story.connection({ on: 'wg0', port: 22 }).open(3000).out(3100, 0, 100)
  expect(sitesOf(story)).toEqual([])
})
