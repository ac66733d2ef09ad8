import { story as quiet } from '../../fixtures/mtu-ptb-unmatched/quiet.make.ts'
import { story as raises } from '../../fixtures/mtu-ptb-unmatched/raises.make.ts'
import { findingsOf, play } from '../scenario.ts'

const ID = 'mtu-ptb-unmatched'

test('raises: a message about ports that nobody uses: somebody between translates addresses badly, or lies', () => {
  expect(findingsOf(play(raises().steps), ID)).toMatchObject([
    { severity: 'warning', cause: 'mismatch', data: { nextHopMtu: 1400, router: '10.64.0.1' } },
  ])
})

test('stays quiet: the message quotes what was sent', () => {
  expect(findingsOf(play(quiet().steps), ID)).toEqual([])
})
