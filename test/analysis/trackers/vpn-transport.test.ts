// VPN transports by the format of their messages, where one could be taken for another.
import { join, noise, udpPacket } from '../../fixtures/frames.ts'
import { createStory, LAN_ADDRESS } from '../../fixtures/path-story.ts'
import { ip, play } from '../scenario.ts'

test('WireGuard on IPsec’s port whose large packets leave in fragments is WireGuard', () => {
  const story = createStory(77)
  const here = { address: LAN_ADDRESS, port: 40_211 }
  const there = { address: '203.0.113.9', port: 4500 }
  story.udp(0, 'eth0', here, there, join([1, 0, 0, 0], noise(1, 144)), true)
  story.udp(20, 'eth0', there, here, join([2, 0, 0, 0], noise(2, 88)), false)
  for (let i = 0; i < 20; i++) {
    const at = 30 + i * 10
    story.udp(at, 'eth0', here, there, join([4, 0, 0, 0], noise(3 + i, 60)), true)
    const large = udpPacket(there, here, join([4, 0, 0, 0], noise(40 + i, 1448)), { id: 500 + i })
    story.fragments(at + 3, 'eth0', large, 1312, false)
    const other = udpPacket(there, here, join([4, 0, 0, 0], noise(80 + i, 1448)), { id: 600 + i })
    story.fragments(at + 5, 'eth0', other, 1312, false)
  }
  story.connection({ port: 443 }).open(50)
  const report = play(story.steps, { tunnelUp: [0, 400] })
  expect(report.epochs.flatMap((one) => one.transport ?? [])).toEqual(['WireGuard'])
})

describe('ESP', () => {
  const GATEWAY = '203.0.113.9'
  const esp = (atMillis: number, outgoing: boolean) => {
    const [from, to] = outgoing ? [LAN_ADDRESS, GATEWAY] : [GATEWAY, LAN_ADDRESS]
    return { atMillis, on: 'eth0', outgoing, ip: ip(from, to, 50, noise(atMillis + 1, 132)) }
  }

  test('both ways is a tunnel after a few packets: its protocol number is no chance', () => {
    const report = play([0, 1000, 2000].flatMap((at) => [esp(at, true), esp(at + 1, false)]))
    expect(report.verdict.dns).toBe('unknown')
    expect(report.epochs.flatMap((one) => one.transport ?? [])).toEqual(['IPsec ESP'])
  })

  test('one way, a few times, is an attempt', () => {
    expect(play([0, 1000, 2000].map((at) => esp(at, true))).verdict.dns).toBe('no-tunnel')
  })
})
