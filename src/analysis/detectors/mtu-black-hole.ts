// mtu-black-hole: packets above some size vanish without a word (RFC 2923 2.1), proven by which sizes pass and which die.
import type { SizeLossFact, SizeLossProof } from '../../model/connection-facts.ts'
import type { Confidence } from '../../model/finding.ts'
import type { TcpMtuProbing } from '../../model/network-context.ts'
import type { Detector, DetectorMeta, RaisedFinding } from '../detector.ts'
import { connectionFilter } from '../display-filter.ts'
import {
  assumptionOf,
  innerMtuOf,
  mssOf,
  outerTunnelAt,
  type PathContext,
  sumText,
  underlayMtuByMss,
} from '../path-context.ts'

const meta: DetectorMeta = {
  id: 'mtu-black-hole',
  title: 'Packets above a size vanish silently',
  severity: 'critical',
  basis: 'RFC 2923 2.1, RFC 4821 7.7, RFC 8899 4.3',
  message:
    'On {interface} packets of {smallestLost} bytes {directionWords} {serverWords} die without an ICMP message, {passWords}: {proofWords}.',
  advice: '',
}

const ADVICE_EXACT =
  'Set the MTU of {interface} to {suggestedTunnelMtu} ({sum}), or clamp the TCP MSS there to {suggestedMss} for IPv4 and {suggestedMssV6} for IPv6; {sumBasis}.'
const ADVICE_BRACKET =
  'The limit lies {limitWords}: lower the MTU of {interface} below {smallestLost} until full packets pass (1280 always should), or let the router pass ICMP "packet too big".'
/** What this machine's TCP does about it by itself (rules.md 2.5); nothing is said where it is not known. */
const PROBING_ADVICE: Readonly<Record<TcpMtuProbing, string>> = Object.freeze({
  0: ' TCP here never finds a size that passes by itself (tcp_mtu_probing is 0); with 1 it does after some seconds, for what this machine sends.',
  1: ' TCP here finds a size that passes by itself (tcp_mtu_probing is 1), but only after some seconds and for what this machine sends.',
  2: ' TCP here looks for a size that passes by itself (tcp_mtu_probing is 2), for what this machine sends.',
})
const ADVICE_CLEARED = 'Nothing: a packet of {passedLen} bytes passed later, so size was not the reason.'

const PROOF_WORDS: Readonly<Record<SizeLossProof, string>> = Object.freeze({
  'sack-hole': 'smaller ones sent later arrived, the big one did not although it was sent again',
  're-segmentation': 'the same bytes passed when they were sent again in smaller segments',
  timeouts: 'the same full segment timed out again and again, each time after twice the wait',
  gap: 'what was sent after them arrived, and the gap they leave stayed open through three doublings of the timer',
})

const CONFIDENCE: Readonly<Record<SizeLossProof, Confidence>> = Object.freeze({
  'sack-hole': 'proven',
  're-segmentation': 'proven',
  timeouts: 'strong',
  gap: 'proven',
})

/** One finding: a tunnel as a whole, elsewhere one destination. */
interface Hole {
  key: string
  latest: SizeLossFact
  /** The strongest fact of each direction, by `path * 2 + direction`. */
  losses: Map<number, SizeLossFact>
  passedLen: number
}

export const mtuBlackHole: Detector = {
  meta,
  create(context) {
    const holes = new Map<string, Hole>()
    const { network } = context

    function raise(hole: Hole, count: number): void {
      const { latest } = hole
      const { name, inputName } = context.interfaceOf(latest.interfaceId)
      const isRefuted = hole.losses.size === 0
      const raised: RaisedFinding = {
        key: hole.key,
        timeMicros: latest.timeMicros,
        confidence: isRefuted ? 'weak' : strongest([...hole.losses.values()]),
        interface: name,
        count,
        data: isRefuted ? { passedLen: hole.passedLen } : dataOf(hole, network),
        filter: connectionFilter(name, latest),
      }
      if (count > 0) raised.evidence = { source: inputName, frame: latest.frameNumber }
      if (isRefuted) {
        raised.severity = 'info'
        raised.cause = 'refuted'
        raised.message = 'On {interface} a size seemed to vanish, but a packet of {passedLen} bytes passed later.'
        raised.advice = ADVICE_CLEARED
      } else {
        const probing = network.tcpMtuProbing()
        raised.advice = raised.data.suggestedTunnelMtu === undefined ? ADVICE_BRACKET : ADVICE_EXACT
        if (probing !== undefined) {
          raised.advice += PROBING_ADVICE[probing]
          raised.data.tcpMtuProbing = probing
        }
      }
      context.raise(meta, raised)
    }

    return {
      sizeLoss(fact) {
        const isTunnel = network.roleOf(fact.interfaceId) === 'tunnel'
        const { name } = context.interfaceOf(fact.interfaceId)
        const key = isTunnel ? name : `${name} ${fact.serverAddress}`
        const hole = holes.get(key) ?? { key, latest: fact, losses: new Map(), passedLen: 0 }
        holes.set(key, hole)
        const direction = fact.path * 2 + (fact.fromClient ? 0 : 1)
        const known = hole.losses.get(direction)
        if (known === undefined || isStronger(fact, known)) hole.losses.set(direction, { ...fact })
        hole.latest = { ...fact }
        raise(hole, 1)
      },
      sizePassed(fact) {
        const direction = fact.path * 2 + (fact.fromClient ? 0 : 1)
        for (const hole of holes.values()) {
          if (!hole.losses.delete(direction)) continue
          hole.passedLen = fact.passedLen
          raise(hole, 0)
        }
      },
      // What was learned since of the tunnel, its server and other sizes makes the advice better.
      end() {
        for (const hole of holes.values()) raise(hole, 0)
      },
    }
  },
}

function isStronger(fact: SizeLossFact, known: SizeLossFact): boolean {
  if (fact.lostLen !== known.lostLen) return fact.lostLen < known.lostLen
  return CONFIDENCE[fact.proof] === 'proven'
}

function strongest(losses: readonly SizeLossFact[]): Confidence {
  return losses.some((loss) => CONFIDENCE[loss.proof] === 'proven') ? 'proven' : 'strong'
}

function dataOf(hole: Hole, network: PathContext): Record<string, unknown> {
  const losses = [...hole.losses.values()]
  const worst = losses.reduce((a, b) => (b.lostLen < a.lostLen ? b : a))
  const servers = [...new Set(losses.map((loss) => loss.serverAddress))]
  const directions = [...new Set(losses.map((loss) => (loss.seenHere ? 'uplink' : 'downlink')))].sort()
  const isTunnel = network.roleOf(worst.interfaceId) === 'tunnel'
  const delivered = losses.map((loss) => deliveredOf(network, loss, isTunnel))
  const largest = Math.min(...delivered)
  const smallestLost = worst.lostLen
  const data: Record<string, unknown> = {
    server: servers[0],
    servers,
    directions,
    proof: worst.proof,
    ...(largest > 0 ? { largestDelivered: largest } : {}),
    smallestLost,
    scope: !isTunnel ? 'path' : servers.length > 1 ? 'tunnel' : 'one server seen',
    directionWords: directions.length > 1 ? 'to and from' : directions[0] === 'uplink' ? 'to' : 'from',
    serverWords: servers.length > 1 ? `${servers.length} servers (${servers.slice(0, 3).join(', ')})` : servers[0],
    passWords: largest > 0 ? `while ${largest} bytes pass` : 'while smaller ones pass',
    proofWords: PROOF_WORDS[worst.proof],
    limitWords: largest > 0 ? `from ${largest} up to below ${smallestLost} bytes` : `below ${smallestLost} bytes`,
  }
  const tunnelMtu = network.mtuOf(worst.interfaceId)
  if (tunnelMtu !== undefined) data.tunnelMtu = tunnelMtu
  const outer = isTunnel ? outerTunnelAt(network, worst.timeMicros) : undefined
  if (outer !== undefined) data.transport = outer.transport
  const underlay = underlayMtuByMss(network)
  if (outer === undefined || underlay === undefined) return data
  const fits = innerMtuOf(outer, underlay)
  if (fits === undefined || fits < largest || fits >= smallestLost) return data
  const assumed = assumptionOf(outer)
  return {
    ...data,
    pathMtu: underlay,
    suggestedTunnelMtu: fits,
    suggestedMss: mssOf(fits, 4),
    suggestedMssV6: mssOf(fits, 6),
    sum: sumText(outer, underlay, fits),
    sumBasis: `${underlay} follows from the MSS that servers show outside the tunnel${assumed === '' ? '' : `, with ${assumed}`}`,
  }
}

/** What passes in that direction: through a tunnel any destination shows it. */
function deliveredOf(network: PathContext, loss: SizeLossFact, isTunnel: boolean): number {
  const { paths } = network
  const side = loss.fromClient ? 0 : 1
  let largest = paths.delivered[loss.path * 2 + side]!
  if (!isTunnel) return largest
  for (let path = 1; path < paths.count; path++) {
    if (paths.interfaceId[path] !== loss.interfaceId) continue
    const passed = paths.delivered[path * 2 + side]!
    if (passed > largest && passed < loss.lostLen) largest = passed
  }
  return largest
}
