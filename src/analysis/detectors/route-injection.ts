// route-injection: while the tunnel was up the network handed out routes that lead around it (rules.md R15).
import type { RouteFact } from '../../model/facts.ts'
import type { Severity } from '../../model/finding.ts'
import { parseAddress } from '../../text/address.ts'
import { isPublicAddress } from '../address-classes.ts'
import type { Detector, DetectorMeta } from '../detector.ts'
import { interfaceFilter } from '../display-filter.ts'

const meta: DetectorMeta = {
  id: 'route-injection',
  title: 'Routes around the tunnel',
  severity: 'critical',
  basis: 'RFC 3442, CVE-2024-3661',
  message:
    'While the tunnel was up, {server} on {interface} handed out {routeCount} {routeCount|route|routes} over public addresses, e.g. {route}: what goes there leaves outside the tunnel.',
  advice:
    'Leave this network or let the VPN client ignore routes from DHCP (option 121); a firewall rule that lets only the VPN out helps too.',
}

const LAN_MESSAGE =
  'While the tunnel was up, {server} gave this machine a LAN on {interface} that claims public addresses, {route}: what goes there leaves outside the tunnel.'
const LAN_ADVICE = 'Let the VPN client carry local networks too unless their addresses are private ones.'
const KERNEL_MESSAGE =
  'While the tunnel was up, a route over public addresses appeared on {interface}, {route}: what goes there leaves outside the tunnel.'

/** A LAN of public addresses up to this size is usual at universities and providers (heuristic). */
const USUAL_LAN_PREFIX_LEN = 24
const MAX_ROUTES_SHOWN = 20

export const routeInjection: Detector = {
  meta,
  create(context) {
    const groups = new Map<string, Set<string>>()
    return {
      route(route) {
        if (!route.isTunnelTime || route.prefixLen === 0 || !coversPublic(route)) return
        const server = route.server ?? ''
        const key = `${route.interfaceName} ${server} ${route.source}`
        const routes = groups.get(key) ?? new Set()
        groups.set(key, routes)
        const text = `${route.destination}/${route.prefixLen}`
        if (routes.size < MAX_ROUTES_SHOWN) routes.add(text)
        const isLan = route.source === 'lan-prefix'
        context.raise(meta, {
          key,
          timeMicros: route.timeMicros,
          severity: severityOf(route),
          confidence: isLan ? 'probable' : 'strong',
          basis: isLan ? 'CVE-2023-36672' : meta.basis,
          cause: route.source,
          interface: route.interfaceName,
          message: isLan ? LAN_MESSAGE : route.source === 'kernel' ? KERNEL_MESSAGE : meta.message,
          advice: isLan ? LAN_ADVICE : meta.advice,
          data: { server, route: text, routes: [...routes], routeCount: routes.size, gateway: route.gateway },
          evidence: { source: route.inputName, frame: route.frame },
          filter: `${interfaceFilter(route.interfaceName)}dhcp.option.dhcp == 5`,
        })
      },
    }
  },
}

function severityOf(route: RouteFact): Severity {
  if (route.source !== 'lan-prefix') return 'critical'
  return route.prefixLen < USUAL_LAN_PREFIX_LEN ? 'warning' : 'info'
}

/** A prefix shorter than 8 bits cannot be all private. */
function coversPublic(route: RouteFact): boolean {
  const words = parseAddress(route.destination)
  if (words === undefined) return false
  return route.prefixLen < 8 || isPublicAddress(...words)
}
