// Makes leak.pcapng: a machine whose VPN is up, and whose operating system now and then asks the home router anyway.
// `npm run golden:update` writes the file again.
import type { Bytes } from '../test/fixtures/frames.ts'
import { createVpnMachine } from '../test/fixtures/vpn-machine.ts'

export function makeCapture(): Bytes {
  const machine = createVpnMachine(1)
  machine.arp(40)
  // Before the VPN is up the router is the right one to ask.
  machine.lookUp(300, { name: 'vpn.example.net', type: 'A', answer: '203.0.113.5', via: 'lan', latencyMillis: 9 })
  machine.connect(2000)

  machine.lookUp(3000, { name: 'www.example.com', type: 'A', answer: '203.0.113.80' })
  machine.lookUp(3001, { name: 'www.example.com', type: 'AAAA' })
  machine.visit(3020, '203.0.113.80', 'www.example.com')
  machine.lookUp(8200, { name: 'news.example.org', type: 'A', answer: '203.0.113.81' })
  machine.visit(8220, '203.0.113.81', 'news.example.org')

  // IPv4 leak: the system resolver falls back to the router it learned by DHCP.
  machine.lookUp(14_000, { name: 'bank.example.com', type: 'A', answer: '203.0.113.82', via: 'lan', latencyMillis: 11 })
  machine.visit(14_030, '203.0.113.82', 'bank.example.com')
  machine.lookUp(20_500, { name: 'mail.example.org', type: 'A', answer: '203.0.113.83', latencyMillis: 16 })
  machine.visit(20_520, '203.0.113.83', 'mail.example.org')
  machine.lookUp(27_000, {
    name: 'health.example.com',
    type: 'A',
    answer: '203.0.113.84',
    via: 'lan',
    latencyMillis: 12,
  })

  // IPv6 leak: the tunnel carries IPv4 only, the router announces itself as a resolver over IPv6.
  machine.lookUp(31_000, {
    name: 'chat.example.net',
    type: 'AAAA',
    answer: '2001:db8:80::1',
    via: 'lan-v6',
    latencyMillis: 10,
  })
  machine.lookUp(31_800, { name: 'chat.example.net', type: 'A', answer: '203.0.113.85' })
  machine.visit(31_830, '203.0.113.85', 'chat.example.net')
  machine.lookUp(36_000, { name: 'time.example.org', type: 'AAAA', via: 'lan-v6', latencyMillis: 13 })
  machine.arp(38_000)
  machine.lookUp(41_000, { name: 'www.example.com', type: 'A', answer: '203.0.113.80', latencyMillis: 13 })
  return machine.file(45_000)
}
