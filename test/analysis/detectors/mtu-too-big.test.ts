import { story as quiet } from '../../fixtures/mtu-too-big/quiet.make.ts'
import { story as raises } from '../../fixtures/mtu-too-big/raises.make.ts'
import { SITE } from '../../fixtures/path-story.ts'
import { findingsOf, play } from '../scenario.ts'

const ID = 'mtu-too-big'

test('raises: a full segment, a router that says 1400, and a sender that heeds it', () => {
  expect(findingsOf(play(raises().steps), ID)).toMatchObject([
    {
      severity: 'info',
      confidence: 'proven',
      interface: 'wg0',
      data: { nextHopMtu: 1400, router: '10.64.0.1', server: SITE, packetLen: 1420, suggestedMss: 1360 },
    },
  ])
})

test('stays quiet: a router that says how far a packet may travel instead', () => {
  expect(findingsOf(play(quiet().steps), ID)).toEqual([])
})
