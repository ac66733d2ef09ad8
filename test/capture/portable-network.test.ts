// What macOS's and Windows's own programs say, in the forms their manual pages and documentation give, becomes the same
// context that netlink gives; what they do not say is a gap.
import { MACOS } from '../../src/capture/macos-network.ts'
import type { NetworkReader } from '../../src/capture/network-reading.ts'
import { PortableWatch, platformReader } from '../../src/capture/portable-watch.ts'
import { WINDOWS } from '../../src/capture/windows-network.ts'
import type { NetworkContext } from '../../src/model/network-context.ts'

const IFCONFIG = `lo0: flags=8049<UP,LOOPBACK,RUNNING,MULTICAST> mtu 16384
	options=1203<RXCSUM,TXCSUM,TXSTATUS,SW_TIMESTAMP>
	inet 127.0.0.1 netmask 0xff000000
	inet6 ::1 prefixlen 128
	inet6 fe80::1%lo0 prefixlen 64 scopeid 0x1
gif0: flags=8010<POINTOPOINT,MULTICAST> mtu 1280
awdl0: flags=8943<UP,BROADCAST,RUNNING,PROMISC,SIMPLEX,MULTICAST> mtu 1500
	ether 8e:5f:00:00:00:01
	inet6 fe80::8c5f:ff:fe00:1%awdl0 prefixlen 64 scopeid 0xc
en0: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 1500
	ether 3c:22:00:00:00:02
	inet6 fe80::10:2%en0 prefixlen 64 secured scopeid 0xb
	inet 192.0.2.10 netmask 0xffffff00 broadcast 192.0.2.255
	inet6 2001:db8:1::10 prefixlen 64 autoconf secured
	status: active
en1: flags=8863<UP,BROADCAST,SMART,RUNNING,SIMPLEX,MULTICAST> mtu 1500
	status: inactive
utun0: flags=8051<UP,POINTOPOINT,RUNNING,MULTICAST> mtu 1380
	inet6 fe80::5%utun0 prefixlen 64 scopeid 0xd
utun4: flags=8051<UP,POINTOPOINT,RUNNING,MULTICAST> mtu 1420
	inet 10.64.0.2 --> 10.64.0.2 netmask 0xffffffff
`

const NETSTAT = `Routing tables

Internet:
Destination        Gateway            Flags               Netif Expire
0/1                utun4              UScg                utun4
default            192.0.2.1          UGScg                 en0
default            link#21            UCSIg               utun4
127                127.0.0.1          UCS                   lo0
128.0/1            utun4              USc                 utun4
192.0.2            link#11            UCS                   en0      !
192.0.2.1          a4:91:b1:0:0:1     UHLWIir               en0   1180
203.0.113.5/32     192.0.2.1          UGSc                  en0
198.51.100/24      127.0.0.1          UGRS                  lo0

Internet6:
Destination                             Gateway                                 Flags               Netif Expire
default                                 fe80::1%en0                             UGcg                  en0
::1                                     ::1                                     UHL                   lo0
2001:db8:1::/64                         link#11                                 UC                    en0
fe80::%en0/64                           link#11                                 UCI                   en0
`

const SCUTIL = `DNS configuration

resolver #1
  search domain[0] : home.example
  nameserver[0] : 192.0.2.53
  nameserver[1] : 10.64.0.1
  if_index : 18 (utun4)
  flags    : Request A records
  reach    : 0x00000003 (Reachable,Transient Connection)

resolver #2
  domain   : local
  options  : mdns
  timeout  : 5
  order    : 300000

resolver #3
  domain   : corp.example
  nameserver[0] : 10.9.0.53
  port     : 5353

DNS configuration (for scoped queries)

resolver #1
  search domain[0] : home.example
  nameserver[0] : 192.0.2.53
  nameserver[1] : fe80::1%en0
  if_index : 11 (en0)
  flags    : Scoped, Request A records
`

const MAC = { ifconfig: IFCONFIG, routes: NETSTAT, resolvers: SCUTIL }

const POWERSHELL = JSON.stringify({
  adapters: [
    {
      ifIndex: 12,
      Name: 'Ethernet',
      InterfaceDescription: 'Intel(R) I219-V',
      InterfaceGuid: '{A1}',
      InterfaceType: 6,
      Virtual: false,
      Status: 'Up',
      MtuSize: 1500,
    },
    {
      ifIndex: 21,
      Name: 'wg0',
      InterfaceDescription: 'WireGuard Tunnel',
      InterfaceGuid: '{B2}',
      InterfaceType: 53,
      Virtual: true,
      Status: 'Up',
      MtuSize: 1420,
    },
    {
      ifIndex: 30,
      Name: 'OpenVPN TAP-Windows6',
      InterfaceDescription: 'TAP-Windows Adapter V9',
      InterfaceGuid: '{C3}',
      InterfaceType: 6,
      Virtual: true,
      Status: 'Disconnected',
      MtuSize: null,
    },
    {
      ifIndex: 40,
      Name: 'vEthernet (WSL)',
      InterfaceDescription: 'Hyper-V Virtual Ethernet Adapter',
      InterfaceGuid: '{D4}',
      InterfaceType: 6,
      Virtual: true,
      Status: 'Up',
      MtuSize: 1500,
    },
  ],
  addresses: [
    { InterfaceIndex: 12, IPAddress: '192.0.2.10', PrefixLength: 24 },
    { InterfaceIndex: 12, IPAddress: 'fe80::10%12', PrefixLength: 64 },
    { InterfaceIndex: 21, IPAddress: '10.64.0.2', PrefixLength: 32 },
    { InterfaceIndex: 40, IPAddress: '172.20.0.1', PrefixLength: 20 },
  ],
  routes: [
    { InterfaceIndex: 12, DestinationPrefix: '0.0.0.0/0', NextHop: '192.0.2.1', RouteMetric: 0, InterfaceMetric: 25 },
    { InterfaceIndex: 21, DestinationPrefix: '0.0.0.0/0', NextHop: '0.0.0.0', RouteMetric: 0, InterfaceMetric: 5 },
    {
      InterfaceIndex: 12,
      DestinationPrefix: '203.0.113.5/32',
      NextHop: '192.0.2.1',
      RouteMetric: 0,
      InterfaceMetric: 25,
    },
  ],
  resolvers: [
    { InterfaceIndex: 12, ServerAddresses: ['192.0.2.53'] },
    { InterfaceIndex: 21, ServerAddresses: '10.64.0.1' },
    { InterfaceIndex: 40, ServerAddresses: ['fec0:0:0:ffff::1', 'fec0:0:0:ffff::2'] },
  ],
  suffixes: ['home.example', null],
})

function contextOf(reader: NetworkReader, outputs: Record<string, string>): NetworkContext {
  const watch = new PortableWatch(reader, { now: () => outputs, later: async () => outputs })
  watch.close()
  return watch.current
}

const roles = (context: NetworkContext) =>
  Object.fromEntries(context.interfaces.map(({ link, role }) => [link.name, role]))

describe('macOS', () => {
  const context = contextOf(MACOS, MAC)
  const nameOf = (index: number | undefined) => context.interfaces.find(({ link }) => link.index === index)?.link.name

  test('interfaces, by what they are', () => {
    expect(roles(context)).toEqual({
      lo0: 'loopback',
      gif0: 'tunnel',
      awdl0: 'virtual',
      en0: 'physical',
      en1: 'physical',
      utun0: 'tunnel',
      utun4: 'tunnel',
    })
    const link = (name: string) => context.interfaces.find((one) => one.link.name === name)!
    expect(link('en1').link).toMatchObject({ up: true, carrier: false })
    expect(link('utun4').link.mtu).toBe(1420)
    expect(link('en0').addresses.map(({ address, prefixLen, scope }) => [address, prefixLen, scope])).toEqual([
      ['fe80::10:2', 64, 253],
      ['192.0.2.10', 24, 0],
      ['2001:db8:1::10', 64, 0],
    ])
  })

  test('routes: abbreviated prefixes, refused ones; those for bound sockets say nothing of others', () => {
    const words = context.routes.map(({ destination, prefixLen, type }) => `${destination}/${prefixLen} ${type}`)
    expect(words).toEqual([
      '0.0.0.0/1 unicast',
      '0.0.0.0/0 unicast',
      '127.0.0.0/8 unicast',
      '128.0.0.0/1 unicast',
      '192.0.2.0/24 unicast',
      '203.0.113.5/32 unicast',
      '198.51.100.0/24 unreachable',
      '::/0 unicast',
      '::1/128 unicast',
      '2001:db8:1::/64 unicast',
    ])
  })

  test('where public addresses leave, which tunnel is up, which server is kept out of it', () => {
    const [v4, v6] = context.egress
    expect([nameOf(v4!.interfaceIndex), v4!.mode, v4!.shape]).toEqual(['utun4', 'full', 'halves'])
    expect([nameOf(v6!.interfaceIndex), v6!.mode]).toEqual(['en0', 'none'])
    const up = context.tunnels.filter(({ state }) => state === 'up').map(({ name, family }) => `${name} ${family}`)
    expect(up).toEqual(['utun4 4'])
    expect(context.endpoints.map(({ address }) => address)).toEqual(['203.0.113.5'])
  })

  test('resolvers: of the system, of a domain, of an interface; not the one for multicast', () => {
    const words = context.dnsServers.map(
      ({ address, port, interfaceIndex }) => `${address}:${port} ${nameOf(interfaceIndex) ?? ''}`,
    )
    expect(words).toEqual(['192.0.2.53:53 ', '10.64.0.1:53 ', '10.9.0.53:5353 ', '192.0.2.53:53 en0', 'fe80::1:53 en0'])
    expect(context.searchDomains).toEqual(['home.example'])
  })

  test('what a program did not say is a gap, and nothing is made up for it', () => {
    const { gaps, routes, dnsServers } = contextOf(MACOS, { ifconfig: IFCONFIG })
    expect([routes, dnsServers]).toEqual([[], []])
    expect(gaps).toEqual([
      expect.stringMatching(/^The routes could not be read/),
      expect.stringMatching(/^The resolvers .* could not be read/),
      'The network is looked at every 2 s here: what changed in between is judged by what was known before.',
    ])
  })
})

describe('Windows', () => {
  const context = contextOf(WINDOWS, { all: `\uFEFF${POWERSHELL}` })

  test('adapters, routes and resolvers', () => {
    expect(roles(context)).toEqual({
      Ethernet: 'physical',
      wg0: 'tunnel',
      'OpenVPN TAP-Windows6': 'virtual',
      'vEthernet (WSL)': 'virtual',
    })
    expect(context.egress[0]).toMatchObject({ interfaceIndex: 21, mode: 'full', physicalIndex: 12 })
    expect(context.dnsServers.map(({ address, interfaceIndex }) => [address, interfaceIndex])).toEqual([
      ['192.0.2.53', 12],
      ['10.64.0.1', 21],
    ])
    expect(context.searchDomains).toEqual(['home.example'])
    expect(context.endpoints.map(({ address }) => address)).toEqual(['203.0.113.5'])
  })

  test('libpcap knows an adapter by its number', () => {
    const watch = new PortableWatch(WINDOWS, { now: () => ({ all: POWERSHELL }), later: async () => ({}) })
    watch.close()
    expect(watch.deviceName(12)).toBe('\\Device\\NPF_{A1}')
    expect(watch.deviceName(99)).toBeUndefined()
  })

  test('fields that are missing make no entry and no fault', () => {
    const { routes, addresses, dnsServers } = WINDOWS.read({
      all: '{"adapters":[{}],"addresses":[{}],"routes":[{}],"resolvers":[{}],"suffixes":[]}',
    })
    expect([routes, addresses, dnsServers]).toEqual([[], [], []])
  })

  test.each(['', 'not JSON', '[]', 'null', '{"adapters":[]}'])('%j is nothing known, told as such', (text) => {
    const { interfaces, gaps } = contextOf(WINDOWS, { all: text })
    expect(interfaces).toEqual([])
    expect(gaps).toHaveLength(4)
  })
})

test('a change is noticed with the next look, and named', async () => {
  const outputs = { ...MAC }
  const watch = new PortableWatch(
    { ...MACOS, everyMillis: 10 },
    { now: () => ({ ...outputs }), later: async () => ({ ...outputs }) },
  )
  expect(watch.takeChanges()).toHaveLength(1)
  expect(watch.refreshLinks()).toBe(true)
  outputs.ifconfig = IFCONFIG.slice(0, IFCONFIG.indexOf('utun4:'))
  let changes: readonly NetworkContext[] = []
  for (let waited = 0; waited < 200 && changes.length === 0; waited++) {
    await new Promise((resolve) => setTimeout(resolve, 10))
    changes = watch.takeChanges()
  }
  watch.close()
  expect(changes[0]!.changes.join()).toContain('utun4')
  expect(watch.refreshLinks()).toBe(true)
  expect([...watch.linkIndices()]).toHaveLength(6)
})

test('Linux has netlink; systems we know nothing of are not guessed at', () => {
  expect(platformReader('linux')).toBeUndefined()
  expect(platformReader('darwin')).toBe(MACOS)
  expect(platformReader('win32')).toBe(WINDOWS)
})

test('no line of these programs, cut anywhere, makes the readers throw', () => {
  for (const text of [IFCONFIG, NETSTAT, SCUTIL, POWERSHELL]) {
    for (let end = 0; end < text.length; end += 7) {
      const cut = text.slice(0, end)
      expect(() => MACOS.read({ ifconfig: cut, routes: cut, resolvers: cut })).not.toThrow()
      expect(() => WINDOWS.read({ all: cut })).not.toThrow()
    }
  }
})
