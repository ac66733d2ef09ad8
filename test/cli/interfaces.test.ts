import { interfaceTable } from '../../src/cli/commands/interfaces.ts'
import { createStyle } from '../../src/text/style.ts'
import { networkContext } from '../network-story.ts'

const plain = createStyle(false)

test('every interface with its role and why, and where the internet leaves', () => {
  expect(interfaceTable(networkContext({ timeMicros: 1, tunnel: 'up' }), plain, 100)).toEqual([
    'interface  role      state  mtu   why             addresses',
    'eth0       physical  up     1500  a network card  192.0.2.10/24',
    'wg0        tunnel    up     1420  kind wireguard  10.64.0.2/32',
    '',
    'IPv4 leaves by wg0 (tunnel): a default route.',
    'IPv6 leaves nowhere: there is no route to public addresses.',
  ])
})

test('a tunnel that is switched off is shown as down', () => {
  const lines = interfaceTable(networkContext({ timeMicros: 1, tunnel: 'link-down' }), plain, 100)
  expect(lines.find((line) => line.startsWith('wg0'))).toMatch(/^wg0 +tunnel +down /)
  expect(lines).toContainEqual(expect.stringMatching(/^IPv4 leaves by eth0 \(physical\)/))
})
