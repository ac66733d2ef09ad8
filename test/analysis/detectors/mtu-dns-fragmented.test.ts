import { story as quiet } from '../../fixtures/mtu-dns-fragmented/quiet.make.ts'
import { story as raises } from '../../fixtures/mtu-dns-fragmented/raises.make.ts'
import { findingsOf, play } from '../scenario.ts'

const ID = 'mtu-dns-fragmented'

test('raises: an answer of 2,000 bytes in two fragments', () => {
  expect(findingsOf(play(raises().steps), ID)).toMatchObject([
    { severity: 'info', data: { server: '10.64.0.1', answers: 1, lost: 0, largestLen: 2000 } },
  ])
})

test('stays quiet: an answer of 1,200 bytes in one packet', () => {
  expect(findingsOf(play(quiet().steps), ID)).toEqual([])
})
