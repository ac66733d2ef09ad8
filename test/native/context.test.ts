// The network context of real namespaces: roles, egress, changes in order, and the kernel asked for every route.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { RouteLookup } from '../../src/capture/route-lookup.ts'
import type { NetworkContext } from '../../src/model/network-context.ts'
import { canMakeNamespaces, Namespace, type Program, sayNotRun } from './namespace.ts'

const namespaces: Namespace[] = []
const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-context-'))

afterEach(() => {
  for (const one of namespaces.splice(0)) one.remove()
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

/** A machine with eth0 (192.0.2.10/24, router 192.0.2.1) and a watch on it. */
async function machine(): Promise<[Namespace, Program]> {
  const home = new Namespace()
  const router = new Namespace()
  namespaces.push(home, router)
  home.cable('eth0', router, 'lan')
  for (const words of [
    'addr add 192.0.2.10/24 dev eth0',
    'route add default via 192.0.2.1',
    'addr add 2001:db8:1::10/64 dev eth0 nodad',
    'route add default via 2001:db8:1::1',
  ]) {
    home.ip(words)
  }
  const watch = home.startScript('watch', directory)
  await watch.says('start')
  return [home, watch]
}

const contexts = (watch: Program) =>
  watch.output
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as NetworkContext)

/** The context after a pause in which it can settle. */
async function settled(watch: Program): Promise<NetworkContext> {
  await pause(250)
  return contexts(watch).at(-1)!
}

const roleOf = (context: NetworkContext, name: string) =>
  context.interfaces.find((state) => state.link.name === name)?.role

/** A tun device that somebody holds open, so that it carries packets. */
async function tunnel(home: Namespace, name: string): Promise<Program> {
  const holder = home.start('python3', [
    '-uc',
    `
import fcntl, os, struct, sys
fd = os.open('/dev/net/tun', os.O_RDWR)
fcntl.ioctl(fd, 0x400454CA, struct.pack('16sH', b'${name}', 0x1001))
print('open')
while True: os.read(fd, 65536)
`,
  ])
  await holder.says('open')
  return holder
}

if (!canMakeNamespaces) {
  test('network context', () => sayNotRun('network context tests'))
} else {
  test('a full tunnel as wg-quick makes it comes, and goes by deletion', async () => {
    const [home, watch] = await machine()
    const start = contexts(watch)[0]!
    const eth = start.interfaces.find((state) => state.link.name === 'eth0')!
    expect(eth).toMatchObject({ role: 'physical', link: { kind: 'veth', up: true, carrier: true } })
    expect(start.egress).toMatchObject([
      { family: 4, interfaceIndex: eth.link.index, gateway: '192.0.2.1', mode: 'none', shape: 'default' },
      { family: 6, interfaceIndex: eth.link.index, gateway: '2001:db8:1::1', mode: 'none', shape: 'default' },
    ])
    const holder = await tunnel(home, 'wg0')
    for (const words of [
      'addr add 10.64.0.2/32 dev wg0',
      'link set mtu 1420 up dev wg0',
      'route add 0.0.0.0/0 dev wg0 table 51820',
      'rule add not fwmark 51820 table 51820',
      'rule add table main suppress_prefixlength 0',
    ]) {
      home.ip(words)
    }
    const up = await settled(watch)
    const wg = up.interfaces.find((state) => state.link.name === 'wg0')!
    expect(wg).toMatchObject({ role: 'tunnel', link: { kind: 'tun', tunType: 'tun', mtu: 1420 } })
    expect(up.tunnels).toMatchObject([
      { name: 'wg0', family: 4, state: 'up' },
      { name: 'wg0', family: 6, state: 'absent' },
    ])
    expect(up.egress).toMatchObject([
      { family: 4, interfaceIndex: wg.link.index, table: 51820, mode: 'full', physicalIndex: eth.link.index },
      // The family that the tunnel forgets: the way out of a v6 bypass.
      { family: 6, interfaceIndex: eth.link.index, mode: 'none' },
    ])
    holder.child.kill('SIGKILL')
    const down = await settled(watch)
    expect(roleOf(down, 'wg0')).toBeUndefined()
    expect(down.egress[0]).toMatchObject({ interfaceIndex: eth.link.index, mode: 'none' })
    expect(down.routes.filter((route) => route.table === 51820)).toEqual([])
    const times = contexts(watch).map((context) => context.timeMicros)
    expect([...times].sort((a, b) => a - b)).toEqual(times)
  })

  test('OpenVPN’s two halves and the server’s host route; routes that vanish in silence with their link', async () => {
    const [home, watch] = await machine()
    await tunnel(home, 'tun0')
    for (const words of [
      'addr add 10.8.0.2/24 dev tun0',
      'link set up dev tun0',
      'route add 203.0.113.10 via 192.0.2.1',
      'route add 0.0.0.0/1 via 10.8.0.1',
      'route add 128.0.0.0/1 via 10.8.0.1',
    ]) {
      home.ip(words)
    }
    const up = await settled(watch)
    expect(up.egress[0]).toMatchObject({ mode: 'full', shape: 'halves', gateway: '10.8.0.1' })
    expect(up.endpoints).toMatchObject([{ address: '203.0.113.10', basis: 'host-route' }])
    home.ip('link set down dev tun0')
    const down = await settled(watch)
    expect(down.egress[0]).toMatchObject({ mode: 'none', gateway: '192.0.2.1' })
    expect(down.tunnels[0]).toMatchObject({ state: 'down' })
    expect(down.routes.filter((route) => route.prefixLen === 1)).toEqual([])
    // An address that goes takes the routes that prefer it along, without a word.
    home.ip('addr add 192.0.2.99/24 dev eth0')
    home.ip('route add 198.18.0.0/15 via 192.0.2.1 src 192.0.2.99')
    expect((await settled(watch)).routes.some((route) => route.destination === '198.18.0.0')).toBe(true)
    home.ip('addr del 192.0.2.99/24 dev eth0')
    expect((await settled(watch)).routes.some((route) => route.destination === '198.18.0.0')).toBe(false)
  })

  test('bridges, their ports and container cables are not the way out; a dump agrees with the events', async () => {
    const [home, watch] = await machine()
    const guest = new Namespace()
    namespaces.push(guest)
    home.cable('veth9', guest, 'eth0')
    for (const words of [
      'link add br0 type bridge',
      'addr add 172.17.0.1/16 dev br0',
      'link set br0 up',
      'link set veth9 master br0',
    ]) {
      home.ip(words)
    }
    const before = await settled(watch)
    expect(['eth0', 'br0', 'veth9', 'lo'].map((name) => roleOf(before, name))).toEqual([
      'physical',
      'virtual',
      'virtual',
      'loopback',
    ])
    // Link-local addresses appear when duplicate address detection is done.
    await pause(2000)
    const count = contexts(watch).length
    process.kill(watch.pid, 'SIGUSR1')
    await settled(watch)
    // A dump that differs from what the events had built would show as a change.
    expect(
      contexts(watch)
        .slice(count)
        .flatMap((context) => context.changes),
    ).toEqual([])
  })

  test('a resolver file that is replaced, and systemd’s files per link', async () => {
    mkdirSync(join(directory, 'etc'), { recursive: true })
    mkdirSync(join(directory, 'run/systemd/resolve/netif'), { recursive: true })
    writeFileSync(join(directory, 'etc/resolv.conf'), '# none yet\n')
    const [, watch] = await machine()
    const replaced = Date.now()
    writeFileSync(join(directory, 'etc/resolv.conf.new'), 'nameserver 10.64.0.1\nsearch corp.example. lan\n')
    renameSync(join(directory, 'etc/resolv.conf.new'), join(directory, 'etc/resolv.conf'))
    const first = await settled(watch)
    expect(first.dnsServers).toEqual([{ address: '10.64.0.1', port: 53, source: '/etc/resolv.conf' }])
    expect(first.searchDomains).toEqual(['corp.example', 'lan'])
    expect(first.changes).toEqual(['resolver 10.64.0.1 in /etc/resolv.conf added'])
    expect(Math.abs(first.timeMicros / 1000 - replaced)).toBeLessThan(100)
    writeFileSync(
      join(directory, 'run/systemd/resolve/netif/3'),
      'SERVERS=192.0.2.53 [2001:db8::53]:853#dns.example\nDOMAINS=~.\n',
    )
    expect((await settled(watch)).dnsServers.slice(1)).toEqual([
      { address: '192.0.2.53', port: 53, interfaceIndex: 3, source: '/run/systemd/resolve/netif/3' },
      { address: '2001:db8::53', port: 853, interfaceIndex: 3, source: '/run/systemd/resolve/netif/3' },
    ])
  })

  test('where would it leave? Hundreds of answers equal the kernel’s', async () => {
    const [home, watch] = await machine()
    await tunnel(home, 'tun0')
    const words = [
      'addr add 10.8.0.2/24 dev tun0',
      'addr add fd00:64::2/64 dev tun0 nodad',
      'link set up dev tun0',
      'route add default dev tun0 table 51820',
      'route add default dev tun0 table 51820 metric 5',
      'route add 192.0.0.0/2 via 192.0.2.1',
      'route add 128.0.0.0/1 via 192.0.2.1',
      'route add blackhole 100.64.0.0/10',
      'route add unreachable 198.18.0.0/15 table 51820',
      'route add throw 203.0.113.0/24 table 51820',
      'route add prohibit 198.51.100.128/25',
      'route add 203.0.113.0/25 dev tun0 metric 300',
      'route add 203.0.113.0/25 via 192.0.2.1 metric 200',
      'route add 172.16.0.0/12 nexthop via 192.0.2.1 nexthop via 192.0.2.2',
      'rule add not fwmark 51820 table 51820 priority 1000',
      'rule add table main suppress_prefixlength 1 priority 900',
      'rule add to 9.9.9.0/24 table main priority 800',
      'rule add fwmark 0x10/0xf0 blackhole priority 700',
      'rule add ipproto udp dport 53 table main priority 600',
      'rule add from 10.8.0.2 table 51820 priority 500',
      '-6 route add default dev tun0 table 100',
      '-6 route add 2001:db8:64::/48 dev tun0',
      '-6 rule add fwmark 7 table 100 priority 1000',
    ]
    for (const one of words) home.ip(one)
    const context = await settled(watch)
    const lookup = new RouteLookup(context)
    const nameOf = (index: number | undefined) =>
      context.interfaces.find((state) => state.link.index === index)?.link.name
    const addresses = [
      ...['8.8.8.8', '9.9.9.9', '192.0.2.10', '192.0.2.77', '192.0.2.255', '127.0.0.53', '10.8.0.9', '10.9.0.9'],
      ...['100.64.0.1', '100.128.0.1', '198.18.5.5', '203.0.113.1', '203.0.113.200', '198.51.100.129', '172.16.1.1'],
      ...[
        '198.51.100.1',
        '1.0.0.1',
        '223.255.255.1',
        '2001:db8:1::77',
        '2001:db8:64::1',
        '2600::1',
        'fd00:64::9',
        '::1',
      ],
      ...['2001:db8:1::10', 'fd00:65::1'],
    ]
    const queries: { line: string; answer: string }[] = []
    for (const address of addresses) {
      for (const mark of [0, 51820, 0x10, 7]) {
        for (const more of [
          {},
          { ipProtocol: 17, destinationPort: 53 },
          { source: '10.8.0.2' },
          { source: '192.0.2.10' },
        ]) {
          const words = ['route', 'get', address]
          if ('source' in more) {
            if (address.includes(':')) continue
            words.push('from', more.source)
          }
          if (mark !== 0) words.push('mark', String(mark))
          if ('ipProtocol' in more) words.push('ipproto', 'udp', 'dport', '53')
          const { outcome, interfaceIndex, gateway } = lookup.lookup({ address, mark, ...more })
          const kernelsDevice = outcome === 'local' ? 'lo' : nameOf(interfaceIndex)
          queries.push({
            line: words.join(' '),
            answer:
              outcome === 'leaves' || outcome === 'local' || outcome === 'group'
                ? `${kernelsDevice} ${gateway ?? ''}`
                : outcome,
          })
        }
      }
    }
    const asked = queries.map(({ line }) => ({ line, answer: askKernel(home, line) }))
    // A multipath route has several right answers; ours is its first.
    const comparable = (list: { line: string; answer: string }[]) =>
      list.map(({ line, answer }) => `${line}: ${answer.replace('192.0.2.2', '192.0.2.1')}`)
    expect(comparable(queries)).toEqual(comparable(asked))
    expect(queries.length).toBeGreaterThan(300)
  })
}

function askKernel(home: Namespace, line: string): string {
  try {
    const words = ['-j', '-n', home.name, ...line.split(' ')]
    const [found] = JSON.parse(execFileSync('ip', words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] }))
    if (found.type !== undefined && ['blackhole', 'unreachable', 'prohibit'].includes(found.type)) return found.type
    return `${found.dev} ${found.gateway ?? ''}`
  } catch (error) {
    const text = String((error as { stderr?: unknown }).stderr)
    if (text.includes('Invalid argument')) return 'blackhole'
    if (text.includes('No route to host')) return 'unreachable'
    if (text.includes('Permission denied')) return 'prohibit'
    if (text.includes('Network is unreachable')) return 'no-route'
    return text
  }
}
