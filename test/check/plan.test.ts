// Which ways there are: from the kernel's tables, the system's resolvers and the person's flags.
import { type CheckPlan, type PlanOptions, planCheck } from '../../src/check/plan.ts'
import type { SystemHints } from '../../src/check/system-hints.ts'
import { parseTarget } from '../../src/check/target.ts'
import { planLines } from '../../src/check/told.ts'
import type { NetworkContext } from '../../src/model/network-context.ts'
import { type MachineStory, machine, route } from './network.ts'

const NO_HINTS: SystemHints = { linkResolvers: [], hostsAddresses: [], strictInterfaces: [] }
const VPN_RESOLVER = { address: '10.64.0.1', port: 53, source: '/etc/resolv.conf' }

interface Flags extends Partial<PlanOptions> {
  url?: string
  hints?: Partial<SystemHints>
}

function plan(
  context: NetworkContext,
  { url = 'https://shop.example/', hints = {}, ...options }: Flags = {},
): CheckPlan {
  return planCheck(context, parseTarget(url), { interfaces: [], resolvers: [], ...options }, { ...NO_HINTS, ...hints })
}

/** `wg0 10.64.0.1@wg0 4`. */
function waysOf({ ways }: CheckPlan): string[] {
  return ways.map(({ over, resolver, family }) =>
    [over.name, resolver === undefined ? '-' : `${resolver.address}@${resolver.over}`, family].join(' '),
  )
}

const withVpn = (more: MachineStory = {}) => machine({ tunnel: 'full', dnsServers: [VPN_RESOLVER], ...more })

test('without a VPN there is one way', () => {
  expect(waysOf(plan(machine()))).toEqual(['eth0 192.0.2.53@eth0 4'])
  expect(plan(machine()).hasTunnel).toBe(false)
})

test('with a VPN each interface goes with each resolver, which is asked where it can be reached', () => {
  expect(waysOf(plan(withVpn(), { resolvers: ['192.0.2.53'] }))).toEqual([
    'wg0 10.64.0.1@wg0 4',
    'eth0 192.0.2.53@eth0 4',
    'wg0 192.0.2.53@eth0 4',
    'eth0 10.64.0.1@wg0 4',
  ])
})

test('a resolver on the internet is asked over each interface', () => {
  const { resolvers } = plan(withVpn(), { resolvers: ['9.9.9.9'] })
  expect(resolvers.map((one) => `${one.address}@${one.over} ${one.source}`)).toEqual([
    '9.9.9.9@wg0 given',
    '9.9.9.9@eth0 given',
    '10.64.0.1@wg0 system',
  ])
})

test('IPv6 comes after IPv4, and only where there is an address', () => {
  const both = waysOf(plan(withVpn({ isV6: true }), { resolvers: ['192.0.2.53'] }))
  expect(both.map((one) => one.slice(-1)).join('')).toBe('44446666')
  expect(waysOf(plan(withVpn({ isV6: true }), { family: 6 })).every((one) => one.endsWith(' 6'))).toBe(true)
  expect(() => plan(withVpn(), { family: 6 })).toThrow(expect.objectContaining({ code: 'no-way' }))
})

test('an address is opened over each interface, and nobody is asked', () => {
  const made = plan(withVpn({ isV6: true }), { url: 'https://198.51.100.80/' })
  expect(waysOf(made)).toEqual(['wg0 - 4', 'eth0 - 4'])
  expect(made.resolvers).toEqual([])
  expect(() => plan(withVpn(), { url: 'https://198.51.100.80/', family: 6 })).toThrow('no IPv6 address')
})

test('a tunnel that does not lead to the internet is left out, and said so; -i goes by it all the same', () => {
  const split = machine({ tunnel: 'split' })
  const made = plan(split)
  expect(waysOf(made)).toEqual(['eth0 192.0.2.53@eth0 4'])
  expect(made.notes.join(' ')).toContain('wg0 is left out: no route by it')
  expect(waysOf(plan(split, { interfaces: ['wg0'], resolvers: ['10.1.2.3'] }))).toEqual(['wg0 10.1.2.3@wg0 4'])
  expect(waysOf(plan(split, { url: 'https://10.1.2.3/' }))).toEqual(['wg0 - 4', 'eth0 - 4'])
})

test('-i leaves the other interfaces out, their resolvers too', () => {
  const made = plan(withVpn(), { interfaces: ['wg0'], resolvers: ['192.0.2.53'] })
  expect(waysOf(made)).toEqual(['wg0 10.64.0.1@wg0 4'])
  expect(() => plan(withVpn(), { interfaces: ['wg9'] })).toThrow('there are eth0, wg0')
})

test('a resolver of a link belongs to it; one of a link that is left out is not asked', () => {
  const dnsServers = [
    { address: '10.64.0.1', port: 53, interfaceIndex: 7, source: '/run/systemd/resolve/netif/7' },
    { address: '203.0.113.9', port: 53, interfaceIndex: 2, source: '/run/systemd/resolve/netif/2' },
  ]
  const { resolvers } = plan(withVpn({ dnsServers }))
  expect(resolvers.map((one) => `${one.address}@${one.over} ${one.source}`)).toEqual([
    '10.64.0.1@wg0 link',
    '203.0.113.9@eth0 link',
  ])
  expect(plan(withVpn({ dnsServers }), { interfaces: ['wg0'] }).resolvers).toHaveLength(1)
})

test('a stub of this machine is asked on the loopback device, and so is one that has an address of ours', () => {
  const stub = [{ address: '127.0.0.53', port: 53, source: '/etc/resolv.conf' }]
  expect(plan(machine({ dnsServers: stub })).resolvers[0]).toMatchObject({ address: '127.0.0.53', over: 'lo' })
  const own = [{ address: '192.0.2.10', port: 53, source: '/etc/resolv.conf' }]
  expect(plan(machine({ dnsServers: own })).resolvers[0]).toMatchObject({ address: '192.0.2.10', over: 'lo' })
})

test('where nobody outside the VPN is known, a lease or the router has to do', () => {
  const lease = { linkResolvers: [{ interfaceName: 'eth0', address: '192.0.2.53' }] }
  expect(plan(withVpn(), { hints: lease }).resolvers.at(-1)).toMatchObject({
    address: '192.0.2.53',
    over: 'eth0',
    source: 'lease',
  })
  expect(plan(withVpn()).resolvers.at(-1)).toMatchObject({ address: '192.0.2.1', over: 'eth0', source: 'router' })
  expect(plan(machine()).resolvers).toHaveLength(1)
})

test('a strict reverse path filter makes IPv4 outside the tunnel impossible, not IPv6, and only beside a tunnel', () => {
  const hints = { strictInterfaces: ['eth0', 'wg0'] }
  const made = plan(withVpn({ isV6: true }), { hints, resolvers: ['192.0.2.53'] })
  expect(made.interfaces).toMatchObject([
    { name: 'wg0', families: [4, 6] },
    { name: 'eth0', families: [6] },
  ])
  expect(made.notes.join(' ')).toContain('rp_filter is 1')
  expect(plan(machine(), { hints }).notes).toEqual([])
})

test('what the hosts file says is told', () => {
  expect(plan(machine(), { hints: { hostsAddresses: ['192.0.2.99'] } }).notes.join()).toContain(
    '/etc/hosts says that shop.example is 192.0.2.99',
  )
})

test('the number of interfaces, resolvers and ways is bounded, and what is left out is told', () => {
  const base = withVpn({ isV6: true })
  const extra = Array.from({ length: 8 }, (_, at) => 20 + at)
  const many: NetworkContext = {
    ...base,
    interfaces: [
      ...base.interfaces,
      ...extra.map((index) => ({
        ...base.interfaces[0]!,
        link: { ...base.interfaces[0]!.link, index, name: `eth${index}` },
        addresses: base.interfaces[0]!.addresses.map((one) => ({ ...one, interfaceIndex: index })),
      })),
    ],
    routes: [
      ...base.routes,
      ...extra.map((index) => route('0.0.0.0/0', index)),
      ...extra.map((index) => route('::/0', index)),
    ],
  }
  const resolvers = Array.from({ length: 9 }, (_, at) => `9.9.9.${at + 1}`)
  const made = plan(many, { resolvers })
  expect([made.interfaces.length, made.resolvers.length, made.ways.length]).toEqual([4, 6, 24])
  expect(made.notes.join(' ')).toMatch(
    /Of 10 interfaces .*left out.*Of \d+ resolvers .*left out.*Of 48 ways the first 24/,
  )
})

test('before anything is sent a person reads to whom, over which interface, and what of it is outside the VPN', () => {
  const lines = planLines(plan(withVpn(), { url: 'http://shop.example/cart?id=secret', resolvers: ['192.0.2.53'] }))
  expect(lines).toEqual([
    'http://shop.example/cart: 4 ways. What is sent:',
    '  DNS question A for shop.example to 192.0.2.53 over eth0',
    '  DNS question A for shop.example to 10.64.0.1 over wg0',
    '  TCP to port 80 of each address answered over wg0 (tunnel), one GET /cart',
    '  TCP to port 80 of each address answered over eth0 (physical), one GET /cart',
    expect.stringContaining('(check); no cookie, no credentials; redirects are not followed'),
    expect.stringMatching(
      /Outside the VPN, over eth0, the name and the site’s address can be seen.*reports it as a leak/,
    ),
  ])
  expect(planLines(plan(machine())).join('\n')).not.toContain('Outside the VPN')
})
