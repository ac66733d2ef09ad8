// mtu-outer-fragmented: the tunnel's own packets leave or arrive in IP fragments: its MTU is too large for its path.
import { MAX_ADDRESSES } from '../../constants/limits.ts'
import { IPPROTO_ICMP, IPPROTO_ICMPV6, IPPROTO_UDP, PORT_IKE, PORT_IPSEC_NAT_T } from '../../constants/wire.ts'
import { u32 } from '../../decoders/cursor.ts'
import { type DecodedBatch, ROW_MF } from '../../model/decoded-batch.ts'
import type { PacketBatch } from '../../model/packet-batch.ts'
import type { Detector, DetectorMeta, RaisedFinding } from '../detector.ts'
import { hostFilter } from '../display-filter.ts'
import { assumptionOf, innerMtuOf, mssOf, type OuterTunnel, sumText } from '../path-context.ts'

const meta: DetectorMeta = {
  id: 'mtu-outer-fragmented',
  title: 'The tunnel’s own packets are fragmented',
  severity: 'warning',
  basis: 'RFC 8900 3, RFC 4459 3.1',
  message:
    '{count} {count|packet|packets} between this machine and the VPN server {server} went in fragments over {interface} ({fragmentLen} bytes the largest).',
  advice:
    "Set the tunnel's MTU to {suggestedTunnelMtu} ({sum}){assumed}, or clamp the MSS inside it to {suggestedMss} for IPv4 and {suggestedMssV6} for IPv6.",
}

const ADVICE_UNKNOWN =
  "Set the tunnel's MTU to {fragmentLen} minus what the VPN adds to each packet; fragments are slow, and firewalls drop them."

/** Fragments between two addresses on one interface. */
interface Pair {
  interfaceId: number
  sourceId: number
  destinationId: number
  ipVersion: number
  /** Datagrams, by their first fragments, and those not told yet. */
  untold: number
  told: number
  /** The largest fragment that another one follows: what fits there, but for the rounding to 8. */
  largestLen: number
  lastMicros: number
  lastFrame: number
}

const MAX_PAIRS = 256
/** Fragments but the last are cut to multiples of 8 (RFC 791 3.2, RFC 8200 4.5). */
const ROUNDING = 7
const ETHERNET_MTU = 1500
const UDP_HEADER_LEN = 8
const MARKED_LEN = UDP_HEADER_LEN + 4

export const mtuOuterFragmented: Detector = {
  meta,
  create(context) {
    const pairs = new Map<number, Pair>()
    const { network } = context
    const { addresses } = network
    /** Of the last fragment: they come in runs, and no text is made for those between the same two. */
    const lastAddresses = new Uint32Array(8)
    let lastPair: Pair | undefined

    function note(batch: PacketBatch, out: DecodedBatch, row: number): void {
      if ((out.flags[row]! & ROW_MF) === 0) return
      if (lastPair === undefined || lastPair.interfaceId !== batch.interfaceId[row] || !isLast(out, row)) {
        lastPair = pairOf(batch, out, row)
        for (let word = 0; word < 8; word++) lastAddresses[word] = out.addresses[(row << 3) + word]!
      }
      if (lastPair === undefined || isOther(batch, out, row)) return
      if (out.fragmentOffset[row] === 0) lastPair.untold++
      else if (lastPair.untold + lastPair.told === 0) return
      if (out.ipLen[row]! > lastPair.largestLen) lastPair.largestLen = out.ipLen[row]!
      lastPair.lastMicros = batch.timeMicros[row]!
      lastPair.lastFrame = batch.frameNumber[row]!
    }

    function isLast(out: DecodedBatch, row: number): boolean {
      for (let word = 0; word < 8; word++) if (lastAddresses[word] !== out.addresses[(row << 3) + word]) return false
      return true
    }

    /** Undefined when there are too many. */
    function pairOf(batch: PacketBatch, out: DecodedBatch, row: number): Pair | undefined {
      const interfaceId = batch.interfaceId[row]!
      const sourceId = addresses.intern(out.addresses, row << 3)
      const destinationId = addresses.intern(out.addresses, (row << 3) + 4)
      const key = (interfaceId * MAX_ADDRESSES + sourceId) * MAX_ADDRESSES + destinationId
      let pair = pairs.get(key)
      if (pair === undefined) {
        if (pairs.size === MAX_PAIRS) return undefined
        const ipVersion = out.ipVersion[row]!
        pair = {
          interfaceId,
          sourceId,
          destinationId,
          ipVersion,
          untold: 0,
          told: 0,
          largestLen: 0,
          lastMicros: 0,
          lastFrame: 0,
        }
        pairs.set(key, pair)
      }
      return pair
    }

    /** Exact where a router or the system told the MTU; otherwise what is sure to fit. */
    function pathMtuOf(pair: Pair, outer: OuterTunnel): number {
      const { paths } = network
      for (let path = 1; path < paths.count; path++) {
        const told = paths.nextHopMtu[path]!
        const isThatPath = paths.interfaceId[path] === pair.interfaceId && fits(pair, told)
        if (isThatPath && network.addresses.text(paths.addressId[path]!) === outer.server) return told
      }
      const own = network.mtuOf(pair.interfaceId) ?? ETHERNET_MTU
      return fits(pair, own) ? own : pair.largestLen
    }

    function raise(pair: Pair, tunnels: readonly OuterTunnel[]): void {
      if (pair.untold === 0 && pair.told === 0) return
      if (network.roleOf(pair.interfaceId) === 'tunnel') return
      const source = addresses.text(pair.sourceId)
      const destination = addresses.text(pair.destinationId)
      const outer = tunnels.find((one) => one.server === source || one.server === destination)
      if (outer === undefined) return
      const { name, inputName } = context.interfaceOf(pair.interfaceId)
      const pathMtu = pathMtuOf(pair, outer)
      const fitting = innerMtuOf(outer, pathMtu)
      const raised: RaisedFinding = {
        key: `${name} ${outer.server}`,
        timeMicros: pair.lastMicros,
        confidence: 'proven',
        interface: name,
        count: pair.untold,
        data: {
          server: outer.server,
          transport: outer.transport,
          fragmentLen: pair.largestLen,
          pathMtu,
          ipVersion: pair.ipVersion,
          direction: destination === outer.server ? 'sent' : 'received',
        },
        filter: `${hostFilter(name, outer.server)} && (ip.flags.mf == 1 || ip.frag_offset > 0 || ipv6.nxt == 44)`,
      }
      if (pair.untold > 0) raised.evidence = { source: inputName, frame: pair.lastFrame }
      if (fitting === undefined) raised.advice = ADVICE_UNKNOWN
      else {
        const assumed = assumptionOf(outer)
        raised.data.suggestedTunnelMtu = fitting
        raised.data.suggestedMss = mssOf(fitting, 4)
        raised.data.suggestedMssV6 = mssOf(fitting, 6)
        raised.data.sum = sumText(outer, pathMtu, fitting)
        raised.data.assumed = assumed === '' ? '' : `, ${assumed}`
      }
      context.raise(meta, raised)
      pair.told += pair.untold
      pair.untold = 0
    }

    /** What the machine itself sends shows the MTU best: it is told last and stays. */
    function raiseAll(): void {
      const tunnels = network.outerTunnels()
      if (tunnels.length === 0) return
      const servers = new Set(tunnels.map((one) => one.server))
      const own = (pair: Pair): number => (servers.has(addresses.text(pair.destinationId)) ? 1 : 0)
      for (const pair of [...pairs.values()].sort((a, b) => own(a) - own(b))) raise(pair, tunnels)
    }

    return {
      fragment: note,
      tick() {
        for (const pair of pairs.values()) {
          if (pair.untold > 0) {
            raiseAll()
            return
          }
        }
      },
      end: raiseAll,
    }
  },
}

/** A large ping, or IKE with its certificates: the VPN server's as well, but the tunnel's MTU does not make them smaller. */
function isOther(batch: PacketBatch, out: DecodedBatch, row: number): boolean {
  const protocol = out.ipProtocol[row]!
  if (protocol === IPPROTO_ICMP || protocol === IPPROTO_ICMPV6) return true
  if (protocol !== IPPROTO_UDP || out.fragmentOffset[row] !== 0) return false
  const [from, to] = [out.srcPort[row]!, out.dstPort[row]!]
  if (from === PORT_IKE || to === PORT_IKE) return true
  if (from !== PORT_IPSEC_NAT_T && to !== PORT_IPSEC_NAT_T) return false
  // RFC 3948 2.2: four bytes of 0 where ESP has its SPI.
  return out.payloadLen[row]! >= MARKED_LEN && u32(batch.bytes, out.payloadAt[row]! + UDP_HEADER_LEN) === 0
}

function fits(pair: Pair, mtu: number): boolean {
  return mtu >= pair.largestLen && mtu <= pair.largestLen + ROUNDING
}
