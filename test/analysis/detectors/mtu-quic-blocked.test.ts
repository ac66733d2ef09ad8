import { story as quiet } from '../../fixtures/mtu-quic-blocked/quiet.make.ts'
import { story as raises } from '../../fixtures/mtu-quic-blocked/raises.make.ts'
import { SITE } from '../../fixtures/path-story.ts'
import { findingsOf, play } from '../scenario.ts'

const ID = 'mtu-quic-blocked'

test('raises: three QUIC packets without an answer, then TCP to the same server works', () => {
  expect(findingsOf(play(raises().steps), ID)).toMatchObject([
    { severity: 'warning', count: 3, data: { server: SITE, initials: 3, packetLen: 1228, smallUdpPasses: false } },
  ])
})

test('stays quiet: the third one is answered', () => {
  expect(findingsOf(play(quiet().steps), ID)).toEqual([])
})
