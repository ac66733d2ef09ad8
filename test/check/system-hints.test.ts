// What files of the system say of links, names and filters, from folders made for it.
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { hostsAddresses, parseLeases, readSystemHints } from '../../src/check/system-hints.ts'

let root: string

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'tunnelscope-hints-'))
})
afterEach(() => rmSync(root, { recursive: true }))

function file(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

const read = (names = ['eth0', 'eth0.10', 'wg0']) => readSystemHints('shop.example', names, root)

const LEASE = (server: string) => `lease {
  interface "eth0";
  fixed-address 192.0.2.10;
  option domain-name-servers ${server};
  renew 4 2026/01/15 12:00:00;
}
`

test('nothing there is nothing known', () => {
  expect(read()).toEqual({ linkResolvers: [], hostsAddresses: [], strictInterfaces: [] })
})

test('resolvconf’s files belong to the interface that they are named after', () => {
  file('/run/resolvconf/interface/eth0.dhclient', 'nameserver 192.0.2.53\nnameserver nonsense\n')
  file('/run/resolvconf/interface/eth0.10.inet', 'nameserver 192.0.2.54\n')
  file('/run/resolvconf/interfaces/tun.wg0', 'nameserver 10.64.0.1\n')
  file('/run/resolvconf/interface/other.dhclient', 'nameserver 192.0.2.99\n')
  expect(read().linkResolvers).toEqual([
    { interfaceName: 'eth0.10', address: '192.0.2.54' },
    { interfaceName: 'eth0', address: '192.0.2.53' },
    { interfaceName: 'wg0', address: '10.64.0.1' },
  ])
})

test('of leases the last one holds', () => {
  file('/var/lib/dhcp/dhclient.eth0.leases', LEASE('192.0.2.1') + LEASE('192.0.2.53, 192.0.2.54'))
  expect(read().linkResolvers.map((one) => one.address)).toEqual(['192.0.2.53', '192.0.2.54'])
  expect(read(['eth1']).linkResolvers).toEqual([])
})

test('a lease that breaks off, without interface or without resolvers', () => {
  expect(parseLeases('lease { interface "eth0"; option domain-name-servers 192.0.2.1')).toEqual(new Map())
  expect(parseLeases('lease {\n option domain-name-servers 192.0.2.1;\n}')).toEqual(new Map())
  expect(parseLeases('lease {\n interface "eth0";\n}')).toEqual(new Map([['eth0', []]]))
})

test('the hosts file: aliases, comments, other names', () => {
  const text =
    '127.0.0.1 localhost\n192.0.2.99 Shop.Example shop # mine\n# 192.0.2.98 shop.example\nbad shop.example\n::1 x.shop.example'
  expect(hostsAddresses(text, 'shop.example')).toEqual(['192.0.2.99'])
})

test('the larger reverse path filter holds: 1 is strict, 2 is not', () => {
  const set = (of: string, value: string) => file(`/proc/sys/net/ipv4/conf/${of}/rp_filter`, `${value}\n`)
  set('all', '0')
  set('eth0', '1')
  set('wg0', '0')
  expect(read().strictInterfaces).toEqual(['eth0'])
  set('all', '2')
  expect(read().strictInterfaces).toEqual([])
})
