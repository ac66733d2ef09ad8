import { story as quiet } from '../../fixtures/mtu-ptb-invalid/quiet.make.ts'
import { story as raises } from '../../fixtures/mtu-ptb-invalid/raises.make.ts'
import { findingsOf, play } from '../scenario.ts'

const ID = 'mtu-ptb-invalid'

test('raises: an IPv4 router that claims an MTU of 60 bytes', () => {
  const found = findingsOf(play(raises().steps), ID)
  expect(found).toMatchObject([{ severity: 'warning', data: { nextHopMtu: 60, leastMtu: 68 } }])
  expect(found[0]!.data).not.toHaveProperty('suggestedMss')
})

test('stays quiet: the smallest MTU that IPv4 knows', () => {
  expect(findingsOf(play(quiet().steps), ID)).toEqual([])
})
