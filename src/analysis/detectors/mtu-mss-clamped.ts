// mtu-mss-clamped: somebody on the way lowers the MSS of connections to what fits. Good for TCP; QUIC and UDP get no help.
import { TCP_HEADERS_V4, TCP_HEADERS_V6 } from '../../constants/tunnel-overhead.ts'
import type { Detector, DetectorMeta } from '../detector.ts'
import { interfaceFilter } from '../display-filter.ts'

const meta: DetectorMeta = {
  id: 'mtu-mss-clamped',
  title: 'The MSS is clamped on the way',
  severity: 'info',
  basis: 'RFC 9293 3.7.1',
  message:
    'Servers seem to announce an MSS for packets of {clampedMtu} bytes on {interface}{againstWords}: a router clamps it.',
  advice: 'Nothing for TCP; for QUIC and other UDP set the MTU of {interface} to {clampedMtu}.',
}

/** Without both IP versions to compare, so many servers must agree. */
const MIN_SERVERS = 3
const CHECK_MICROS = 5_000_000

/** What the servers of one interface announce, as MTUs. */
interface Announced {
  /** Servers by the MTU they announce, and whether IPv4 and IPv6 ones are among them. */
  servers: Map<number, { count: number; v4: boolean; v6: boolean }>
  total: number
  ownMtu: number
}

export const mtuMssClamped: Detector = {
  meta,
  create(context) {
    const { paths, addresses, roleOf } = context.network
    const told = new Set<string>()
    let checkedMicros = 0
    let nowMicros = 0

    function check(): void {
      const interfaces = new Map<number, Announced>()
      const byServer = new Map<number, { path: number; mtu: number }>()
      for (let path = 1; path < paths.count; path++) {
        const mss = paths.mss[path * 2 + 1]!
        const own = paths.mss[path * 2]!
        if (mss === 0 || own === 0) continue
        const isV4 = addresses.isIpv4(paths.addressId[path]!)
        const headers = isV4 ? TCP_HEADERS_V4 : TCP_HEADERS_V6
        note(interfaces, paths.interfaceId[path]!, mss + headers, own + headers, isV4)
        const other = byServer.get(paths.addressId[path]!)
        if (other === undefined) byServer.set(paths.addressId[path]!, { path, mtu: mss + headers })
        else compare(path, mss + headers, other)
      }
      for (const [interfaceId, announced] of interfaces) judge(interfaceId, announced)
    }

    /** The same server on two interfaces: whichever shows less is clamped (rules.md M12). */
    function compare(path: number, mtu: number, other: { path: number; mtu: number }): void {
      const one = paths.interfaceId[path]!
      const two = paths.interfaceId[other.path]!
      if (one === two || mtu === other.mtu) return
      const [less, more] = mtu < other.mtu ? [one, two] : [two, one]
      const server = addresses.text(paths.addressId[path]!)
      const words = `, ${server} for ${Math.max(mtu, other.mtu)} on ${context.interfaceOf(more).name}`
      tell(less, Math.min(mtu, other.mtu), words, server, 'strong')
    }

    function judge(interfaceId: number, { servers, total, ownMtu }: Announced): void {
      if (roleOf(interfaceId) !== 'tunnel') return
      for (const [mtu, { count, v4, v6 }] of servers) {
        const agree = (v4 && v6 && count >= 2) || (count >= MIN_SERVERS && count === total)
        if (mtu < ownMtu && agree)
          tell(interfaceId, mtu, `, this machine for ${ownMtu}`, '', v4 && v6 ? 'strong' : 'probable')
      }
    }

    function tell(
      interfaceId: number,
      mtu: number,
      againstWords: string,
      server: string,
      confidence: 'strong' | 'probable',
    ): void {
      const { name } = context.interfaceOf(interfaceId)
      const key = `${name} ${mtu}`
      if (told.has(key)) return
      told.add(key)
      context.raise(meta, {
        key,
        timeMicros: nowMicros,
        confidence,
        interface: name,
        data: {
          clampedMtu: mtu,
          mss: mtu - TCP_HEADERS_V4,
          mssV6: mtu - TCP_HEADERS_V6,
          againstWords,
          ...(server === '' ? {} : { server }),
        },
        filter: `${interfaceFilter(name)}tcp.flags.syn == 1 && tcp.flags.ack == 1 && tcp.options.mss_val in {${mtu - TCP_HEADERS_V4}, ${mtu - TCP_HEADERS_V6}}`,
      })
    }

    return {
      tick(timeMicros) {
        nowMicros = timeMicros
        if (timeMicros - checkedMicros < CHECK_MICROS) return
        checkedMicros = timeMicros
        check()
      },
      end: check,
    }
  },
}

function note(
  interfaces: Map<number, Announced>,
  interfaceId: number,
  mtu: number,
  ownMtu: number,
  isV4: boolean,
): void {
  const announced = interfaces.get(interfaceId) ?? { servers: new Map(), total: 0, ownMtu: 0 }
  interfaces.set(interfaceId, announced)
  announced.total++
  announced.ownMtu = Math.max(announced.ownMtu, ownMtu)
  const same = announced.servers.get(mtu) ?? { count: 0, v4: false, v6: false }
  announced.servers.set(mtu, { count: same.count + 1, v4: same.v4 || isV4, v6: same.v6 || !isV4 })
}
