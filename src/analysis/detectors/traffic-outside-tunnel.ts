// traffic-outside-tunnel: connections to public addresses past a tunnel that should carry them (rules.md R15, R20, RFC 7359).
import { PORT_DNS, PORT_DNS_OVER_TLS } from '../../constants/wire.ts'
import type { Detector, DetectorMeta } from '../detector.ts'
import { interfaceFilter } from '../display-filter.ts'

const meta: DetectorMeta = {
  id: 'traffic-outside-tunnel',
  title: 'Connections outside the tunnel',
  severity: 'warning',
  basis: 'heuristic',
  message:
    '{count} {count|connection|connections} to {serverCount} public {serverCount|address|addresses} left outside the tunnel on {interface}, e.g. {server} port {port}: {why}.',
  advice:
    'Route everything through the tunnel, or name the network with --physical or the program as excluded if it is meant.',
}

const CAUSES: Readonly<Record<string, { basis: string; why: string }>> = Object.freeze({
  'outside-tunnel': { basis: 'heuristic', why: 'the tunnel carries public addresses, but not these' },
  'v6-bypass': { basis: 'RFC 7359 4', why: 'the tunnel carries no IPv6, so IPv6 goes around it' },
  'route-injection': { basis: 'RFC 3442, CVE-2024-3661', why: 'a route that the network handed out leads around it' },
  misbound: { basis: 'RFC 6724', why: 'they carry the tunnel’s own address as their source' },
  'tunnel-lost': { basis: 'heuristic', why: 'the tunnel was lost at that time' },
})

/** Addresses named in the finding. */
const MAX_SERVERS_SHOWN = 20
const MAX_SERVERS = 10_000

export const trafficOutsideTunnel: Detector = {
  meta,
  create(context) {
    const groups = new Map<string, Set<string>>()
    return {
      connectionOpened(connection) {
        if (connection.judgement !== 'outside') return
        const { interfaceName, serverAddress, serverPort, cause, ipVersion } = connection
        // DNS over TCP and TLS is judged by the rules of DNS.
        if (serverPort === PORT_DNS || serverPort === PORT_DNS_OVER_TLS) return
        const key = `${interfaceName} ${cause}`
        const servers = groups.get(key) ?? new Set()
        groups.set(key, servers)
        if (servers.size < MAX_SERVERS) servers.add(serverAddress)
        const row = CAUSES[cause] ?? CAUSES['outside-tunnel']!
        const shown = [...servers].slice(0, MAX_SERVERS_SHOWN)
        context.raise(meta, {
          key,
          timeMicros: connection.timeMicros,
          confidence: connection.confidence,
          basis: row.basis,
          cause,
          interface: interfaceName,
          data: { server: shown[0], port: serverPort, servers: shown, serverCount: servers.size, why: row.why },
          evidence: { source: connection.inputName, frame: connection.frame },
          filter: `${interfaceFilter(interfaceName)}tcp.flags.syn == 1 && tcp.flags.ack == 0 && ${
            ipVersion === 6 ? 'ipv6' : 'ip'
          } && ${addressFilter(shown, ipVersion)}`,
        })
      },
    }
  },
}

function addressFilter(servers: readonly string[], ipVersion: number): string {
  const same = servers.filter((one) => one.includes(':') === (ipVersion === 6))
  return `${ipVersion === 6 ? 'ipv6.dst' : 'ip.dst'} in {${same.join(', ')}}`
}
