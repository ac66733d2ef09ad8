import { story as quiet } from '../../fixtures/http-local-proxy/quiet.make.ts'
import { story as raises } from '../../fixtures/http-local-proxy/raises.make.ts'
import { findingsOf, play } from '../scenario.ts'

const ID = 'http-local-proxy'

test('raises: the proxy on the LAN cannot reach the site', () => {
  expect(findingsOf(play(raises().steps), ID)).toMatchObject([
    {
      severity: 'warning',
      confidence: 'strong',
      interface: 'eth0',
      data: { host: 'www.example.com', address: '192.168.1.8', status: 502 },
    },
  ])
})

test('stays quiet: the same answer from a public address', () => {
  expect(findingsOf(play(quiet().steps), ID)).toEqual([])
})
