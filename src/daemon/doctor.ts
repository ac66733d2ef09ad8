// The doctor's judgement: facts about this machine in, one line each out, with what to do. Pure; doctor-facts.ts looks.
import { RouteLookup } from '../capture/route-lookup.ts'
import type { DnsServer, InterfaceState, IpFamily, NetworkContext } from '../model/network-context.ts'
import { type DnsBlock, type DnsWay, dnsBlock, type FirewallRules } from './dns-block.ts'

export type DoctorLevel = 'ok' | 'note' | 'warning' | 'problem'

export interface DoctorLine {
  readonly section: 'capture' | 'interfaces' | 'routes' | 'resolvers' | 'protection' | 'verdict'
  readonly level: DoctorLevel
  readonly words: string
  /** What to do; absent when there is nothing to do. */
  readonly advice?: string
}

export interface DoctorFacts {
  /** Undefined: the ring opens; else why not, with what to do. */
  readonly captureRefusal?: string
  readonly network: NetworkContext
  /** Undefined: the rules could not be read (no right, no program). */
  readonly firewall?: FirewallRules
  /** What the running service says of itself; undefined when none answers. */
  readonly service?: {
    readonly version: string
    readonly dropped?: number
    readonly verdictReasons: readonly string[]
    readonly storePaused: boolean
  }
  /** Of the configuration: what narrows the view. */
  readonly chosenInterfaces: readonly string[]
  readonly filter: string
  readonly backend: 'ring' | 'cap'
}

const FAMILIES: readonly IpFamily[] = [4, 6]

/** Everything worth saying, in the order of the sections. */
export function diagnose(facts: DoctorFacts): DoctorLine[] {
  return [
    ...captureLines(facts),
    ...interfaceLines(facts),
    ...routeLines(facts.network),
    ...resolverLines(facts),
    ...protectionLines(facts),
    ...verdictLines(facts),
  ]
}

function captureLines({ captureRefusal, service, backend }: DoctorFacts): DoctorLine[] {
  const section = 'capture'
  const lines: DoctorLine[] = []
  if (captureRefusal === undefined)
    lines.push({ section, level: 'ok', words: 'the packet ring opens: we may capture on every interface' })
  else if (service === undefined) lines.push({ section, level: 'problem', words: captureRefusal })
  else lines.push({ section, level: 'note', words: 'you may not capture yourself; the service does' })
  if (backend === 'cap') {
    lines.push({
      section,
      level: 'warning',
      words: 'the backend is cap: how many packets it drops is unknown',
      advice: 'use capture.backend = "ring" on Linux',
    })
  }
  if (service === undefined) {
    lines.push({
      section,
      level: 'note',
      words: 'no service answers on the socket',
      advice: 'sudo tunnelscope install-service, or sudo tunnelscope daemon',
    })
    return lines
  }
  lines.push({ section, level: 'ok', words: `the service answers (version ${service.version})` })
  if (service.dropped === undefined) return lines
  if (service.dropped === 0)
    lines.push({ section, level: 'ok', words: 'the kernel has dropped no packet since it started' })
  else {
    lines.push({
      section,
      level: 'warning',
      words: `the kernel has dropped ${service.dropped} packets since it started`,
      advice: 'give capture.ring-mib more, or narrow the view with capture.filter',
    })
  }
  return lines
}

function interfaceLines({ network, chosenInterfaces }: DoctorFacts): DoctorLine[] {
  return network.interfaces
    .filter(({ link }) => link.up)
    .map(({ link, role, reason }): DoctorLine => {
      const words = `${link.name}: ${role} (${reason}), MTU ${link.mtu}${link.carrier ? '' : ', no carrier'}`
      const isWatched = chosenInterfaces.length === 0 || chosenInterfaces.includes(link.name)
      if (isWatched || role === 'loopback') {
        return role === 'unknown'
          ? {
              section: 'interfaces',
              level: 'warning',
              words,
              advice: `say what it is: network.tunnel or network.physical = ["${link.name}"]`,
            }
          : { section: 'interfaces', level: 'ok', words }
      }
      return {
        section: 'interfaces',
        level: 'warning',
        words: `${words}: up and not watched`,
        advice: `add "${link.name}" to capture.interfaces, or leave the list empty to watch every one`,
      }
    })
}

function routeLines(network: NetworkContext): DoctorLine[] {
  return FAMILIES.map((family): DoctorLine => {
    const egress = network.egress.find((one) => one.family === family)
    const way = stateOf(network, egress?.interfaceIndex)
    if (way === undefined)
      return { section: 'routes', level: 'note', words: `IPv${family}: no route to public addresses` }
    const words = `IPv${family}: public addresses leave by ${way.link.name} (${way.role})${egress?.gateway === undefined ? '' : ` via ${egress.gateway}`}`
    const bypass = tunnelIsUp(network) && egress?.mode === 'none'
    if (bypass) {
      return {
        section: 'routes',
        level: 'problem',
        words: `${words}, past the tunnel`,
        advice: `have the VPN carry IPv${family}, or switch IPv${family} off while it is up`,
      }
    }
    if (egress?.mode === 'split') {
      return {
        section: 'routes',
        level: 'note',
        words: `${words}; a part takes another way`,
        advice: 'right for a split tunnel; else look at: ip route, ip rule',
      }
    }
    return { section: 'routes', level: 'ok', words }
  })
}

function resolverLines({ network }: DoctorFacts): DoctorLine[] {
  const section = 'resolvers'
  if (network.dnsServers.length === 0) {
    return [{ section, level: 'warning', words: 'no resolver is configured', advice: 'look at /etc/resolv.conf' }]
  }
  const lookup = new RouteLookup(network)
  return network.dnsServers.map((server): DoctorLine => {
    const name = serverName(server, network)
    const way = wayOf(server, network, lookup)
    if (way === 'local') {
      return { section, level: 'ok', words: `${name}: a program on this machine; its own upstreams count` }
    }
    if (way === undefined) {
      return {
        section,
        level: 'warning',
        words: `${name}: no route leads there`,
        advice: 'it cannot answer; remove it or add a route',
      }
    }
    const words = `${name}: a query leaves by ${way.link.name} (${way.role})`
    if (!tunnelIsUp(network)) return { section, level: 'ok', words }
    if (way.role === 'tunnel') return { section, level: 'ok', words }
    return {
      section,
      level: 'problem',
      words: `${words}, outside the tunnel`,
      advice: 'have the VPN client set its own resolver, or route this address into the tunnel',
    }
  })
}

/** Is port 53 closed on every way out beside the tunnel? */
function protectionLines({ network, firewall }: DoctorFacts): DoctorLine[] {
  const section = 'protection'
  if (!tunnelIsUp(network)) {
    return [{ section, level: 'note', words: 'no tunnel is up: DNS goes outside, as it must' }]
  }
  const ways = network.interfaces.filter(({ link, role }) => role === 'physical' && link.up && link.carrier)
  if (ways.length === 0) return [{ section, level: 'ok', words: 'no physical interface is up' }]
  if (firewall === undefined) {
    return [
      {
        section,
        level: 'note',
        words: 'the packet filter cannot be read',
        advice: 'run doctor with sudo to have it looked at',
      },
    ]
  }
  return ways.flatMap(({ link, addresses }) => {
    const families = FAMILIES.filter((family) => addresses.some((one) => one.family === family))
    const asked = families.flatMap((family) =>
      (['udp', 'tcp'] as const).map((transport): DnsWay => ({ family, transport, outputInterface: link.name })),
    )
    return asked.map((way) => protectionLine(way, dnsBlock(firewall, way)))
  })

  function protectionLine(way: DnsWay, { outcome, rule }: DnsBlock): DoctorLine {
    const what = `port 53 over ${way.transport.toUpperCase()}/IPv${way.family} on ${way.outputInterface}`
    if (outcome === 'blocked') return { section, level: 'ok', words: `${what} is blocked: ${rule}` }
    if (outcome === 'partly') {
      return {
        section,
        level: 'warning',
        words: `${what} is blocked in part only: ${rule}`,
        advice: 'check the conditions of the rule',
      }
    }
    return {
      section,
      level: 'warning',
      words: `${what} is open: a program that asks there is not stopped`,
      advice: 'switch on the VPN client’s kill switch or DNS leak protection',
    }
  }
}

function verdictLines({ network, filter, service, chosenInterfaces, captureRefusal }: DoctorFacts): DoctorLine[] {
  const section = 'verdict'
  const lines: DoctorLine[] = []
  const say = (words: string, advice: string) => lines.push({ section, level: 'warning', words, advice })
  if (captureRefusal !== undefined && service === undefined)
    say('nothing is watched, so there is no verdict', 'see capture')
  if (filter !== '')
    say(`the filter "${filter}" hides packets from the verdict`, 'leave capture.filter empty for a whole verdict')
  const unwatched = network.interfaces.filter(
    ({ link, role }) =>
      link.up && role !== 'loopback' && chosenInterfaces.length > 0 && !chosenInterfaces.includes(link.name),
  )
  if (unwatched.length > 0) say(`${unwatched.length} interfaces that are up are not watched`, 'see interfaces')
  if (network.routesCut)
    say(
      'there are more routes than we keep; where a packet leaves may be wrong',
      'nothing to do on a router of this size',
    )
  if (service?.storePaused === true)
    say('the store cannot be written; findings wait in memory', 'make room on its file system')
  for (const reason of service?.verdictReasons ?? []) say(reason, 'as long as it lasts the verdict is not complete')
  if (lines.length === 0) lines.push({ section, level: 'ok', words: 'nothing known here makes the verdict incomplete' })
  return lines
}

function tunnelIsUp(network: NetworkContext): boolean {
  return network.tunnels.some(({ state }) => state === 'up')
}

/** The interface a query leaves by, `local` when it stays here, undefined without a route. */
function wayOf(server: DnsServer, network: NetworkContext, lookup: RouteLookup): InterfaceState | 'local' | undefined {
  // A resolver of a link is asked through that link, whatever the routes say (systemd-resolved binds its sockets).
  const bound = stateOf(network, server.interfaceIndex)
  const query = { address: server.address, ipProtocol: 17, destinationPort: server.port }
  const answer = lookup.lookup(bound === undefined ? query : { ...query, outputInterface: bound.link.name })
  if (answer.outcome === 'local') return 'local'
  if (bound !== undefined) return bound
  return answer.outcome === 'leaves' ? stateOf(network, answer.interfaceIndex) : undefined
}

function serverName({ address, port, source, interfaceIndex }: DnsServer, network: NetworkContext): string {
  const link = stateOf(network, interfaceIndex)
  return `${address}${port === 53 ? '' : ` port ${port}`}${link === undefined ? '' : ` for ${link.link.name}`} (${source})`
}

function stateOf(network: NetworkContext, index: number | undefined): InterfaceState | undefined {
  return index === undefined ? undefined : network.interfaces.find(({ link }) => link.index === index)
}
