import { decideRoles } from '../../src/analysis/roles.ts'
import type { CaptureInterface } from '../../src/model/capture-interface.ts'

const ETHERNET = 1
const RAW = 101
const NULL = 0
const PPP = 9

function roles(
  interfaces: readonly { name?: string; linkType: number; file?: string }[],
  options: { tunnels?: string[]; physicals?: string[]; carries?: Record<number, string> } = {},
): string[] {
  const made = interfaces.map(
    (one, id): CaptureInterface => ({
      id,
      inputIndex: 0,
      inputName: one.file ?? 'a.pcapng',
      linkType: one.linkType,
      snapLen: 0,
      addresses: [],
      ...(one.name === undefined ? {} : { name: one.name }),
    }),
  )
  const decided = decideRoles(
    made,
    { tunnels: options.tunnels ?? [], physicals: options.physicals ?? [] },
    (id) => options.carries?.[id],
  )
  expect(decided.every((one) => one.reasons.length > 0)).toBe(true)
  return decided.map((one) => one.role)
}

test.each([
  [
    'a WireGuard tunnel beside Ethernet',
    [
      { name: 'eth0', linkType: ETHERNET },
      { name: 'wg0', linkType: RAW },
    ],
    ['physical', 'tunnel'],
  ],
  [
    'a tunnel of any name beside Ethernet',
    [
      { name: 'enp3s0', linkType: ETHERNET },
      { name: 'work', linkType: RAW },
    ],
    ['physical', 'tunnel'],
  ],
  ['files without interface names', [{ linkType: ETHERNET }, { linkType: RAW }], ['physical', 'tunnel']],
  ['a tunnel alone, known by its name', [{ name: 'utun3', linkType: NULL }], ['tunnel']],
  ['raw IP alone could be anything', [{ linkType: RAW }], ['unknown']],
  [
    'a cellular modem is the way out',
    [
      { name: 'wwan0', linkType: RAW },
      { name: 'tun0', linkType: RAW },
    ],
    ['physical', 'tunnel'],
  ],
  [
    'PPP beside Ethernet may be the line itself',
    [
      { name: 'eth0', linkType: ETHERNET },
      { name: 'ppp0', linkType: PPP },
    ],
    ['physical', 'unknown'],
  ],
  [
    'loopback and containers',
    [
      { name: 'lo', linkType: ETHERNET },
      { name: 'docker0', linkType: ETHERNET },
      { name: 'veth12', linkType: ETHERNET },
    ],
    ['loopback', 'virtual', 'virtual'],
  ],
  [
    'the network card of a virtual machine',
    [
      { name: 'eth0', linkType: ETHERNET },
      { name: 'vnet0', linkType: ETHERNET },
      { name: 'incusbr0', linkType: ETHERNET },
    ],
    ['physical', 'virtual', 'virtual'],
  ],
  [
    'a 464XLAT translator beside the IPv6 network that its packets leave by is no tunnel',
    [
      { name: 'wlan0', linkType: ETHERNET },
      { name: 'v4-wlan0', linkType: RAW },
      { name: 'clat', linkType: RAW },
    ],
    ['physical', 'virtual', 'virtual'],
  ],
  [
    'an Ethernet-like tunnel, by name',
    [
      { name: 'tap0', linkType: ETHERNET },
      { name: 'eth0', linkType: ETHERNET },
    ],
    ['tunnel', 'physical'],
  ],
])('%s', (_, interfaces, expected) => {
  expect(roles(interfaces)).toEqual(expected)
})

test('what carries a VPN’s transport is not a tunnel, whatever its link type', () => {
  expect(roles([{ linkType: RAW }], { carries: { 0: 'WireGuard' } })).toEqual(['physical'])
})

test('a VPN inside a VPN is a tunnel too, over a modem as over Ethernet', () => {
  const over = (way: { name: string; linkType: number }) =>
    roles([way, { name: 'wg0', linkType: RAW }, { name: 'wg1', linkType: RAW }], {
      carries: { 0: 'WireGuard', 1: 'WireGuard' },
    })
  expect(over({ name: 'eth0', linkType: ETHERNET })).toEqual(['physical', 'tunnel', 'tunnel'])
  expect(over({ name: 'wwan0', linkType: RAW })).toEqual(['physical', 'tunnel', 'tunnel'])
})

test('the operator’s word wins, by interface or by file name', () => {
  const interfaces = [
    { name: 'eth0', linkType: ETHERNET },
    { linkType: RAW, file: 'inside.pcap' },
  ]
  expect(roles(interfaces, { tunnels: ['eth0'], physicals: ['inside.pcap'] })).toEqual(['tunnel', 'physical'])
})
