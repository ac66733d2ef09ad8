// dns-answers-differ: the same name has other addresses inside the tunnel than outside (rules.md part 3, stage 1).
import { MAX_NAMES_IN_FINDING } from '../../constants/limits.ts'
import type { DnsExchange } from '../../model/dns-facts.ts'
import type { Evidence } from '../../model/finding.ts'
import { parseAddress } from '../../text/address.ts'
import { isPublicAddress } from '../address-classes.ts'
import type { Detector, DetectorContext, DetectorMeta, RaisedFinding } from '../detector.ts'
import { makeRoom } from '../make-room.ts'

const meta: DetectorMeta = {
  id: 'dns-answers-differ',
  title: 'Different answers inside and outside the tunnel',
  severity: 'info',
  basis: 'heuristic',
  message:
    '{hostCount} {hostCount|name has|names have} other addresses inside the tunnel than outside, e.g. {host}: {insideAddresses} inside ({insideServer}), {outsideAddresses} outside ({outsideServer}). Content networks do that on purpose.',
  advice:
    'Only if such a name fails through the VPN alone: ask both resolvers by hand and open it under the other address.',
}

/** For a name whose address inside is no good: a finding of its own. */
const FAULTY_MESSAGE =
  '{host} is {insideAddresses} inside the tunnel ({insideServer}) and {outsideAddresses} outside ({outsideServer}), and {why}.'
const FAULTY_ADVICE = 'Ask the VPN’s operator why {insideServer} says so, or use another resolver for {host}.'

/** What one side said of one name and type, all answers together. */
interface Side {
  /** Different answers, as ids, until the other side is asked too: most names never are. Empty from then on. */
  sets: number[]
  /** The addresses in them; empty before. */
  addresses: Set<string>
  latestSet: number
  server: string
  interfaceName: string
  source: string
  frame: number
  atMicros: number
}

interface Compared {
  /** Known as soon as both sides are. */
  name: string | undefined
  inside: Side | undefined
  outside: Side | undefined
  /** When an address was new last, on either side. */
  changedMicros: number
  /** A harmless difference may prove to be a fault later. */
  told: 'no' | 'harmless' | 'faulty'
}

/** Answers rotate within the life of most of them, a minute. */
const SETTLED_MICROS = 60_000_000
/** Names compared; the longest known make room: a machine asks for some thousands a day, and the two sides minutes apart. */
const MAX_NAMES_COMPARED = 8_000
/** Addresses kept of one side; a name with more is spread so widely that nothing follows from a difference. */
const MAX_ADDRESSES = 64

const NO_ADDRESSES: Set<string> = new Set()

export const dnsAnswersDiffer: Detector = {
  meta,
  create(context) {
    const failures = new Map<string, string>()
    /** By name and type. */
    const byQuestion = new Map<number, Compared>()
    const harmless: Difference[] = []
    let nextMicros = 0
    let toldHosts = 0

    /** Judges what was asked on both sides and has not changed since `beforeMicros`. */
    function look(beforeMicros: number): void {
      for (const entry of byQuestion.values()) {
        const { name, inside, outside } = entry
        if (
          entry.told === 'faulty' ||
          name === undefined ||
          inside === undefined ||
          outside === undefined ||
          entry.changedMicros > beforeMicros
        )
          continue
        if (isConsistent(context, inside, outside)) continue
        const difference = { host: name, inside, outside, why: faultOf(inside, outside, failures) }
        if (difference.why !== '') {
          entry.told = 'faulty'
          context.raise(meta, faulty(difference))
        } else if (entry.told === 'no' && harmless.length < MAX_NAMES_COMPARED) {
          entry.told = 'harmless'
          harmless.push(difference)
        }
      }
      if (harmless.length === toldHosts) return
      context.raise(meta, folded(harmless, harmless.length - toldHosts))
      toldHosts = harmless.length
    }

    return {
      dnsExchange(exchange) {
        if (exchange.outcome !== 'answered') return
        const side = sideOf(exchange)
        if (side === undefined) return
        const { answerSet } = exchange
        if (answerSet === 0) return
        const key = exchange.nameId * 0x1_0000 + exchange.type
        let entry = byQuestion.get(key)
        if (entry === undefined) {
          makeRoom(byQuestion, MAX_NAMES_COMPARED)
          entry = { name: undefined, inside: undefined, outside: undefined, changedMicros: 0, told: 'no' }
          byQuestion.set(key, entry)
        }
        const known = entry[side]
        // The same answer again, as most are: nothing new, and no text is made of it.
        if (known?.latestSet === answerSet) return
        if (entry.name === undefined) {
          if (known === undefined) entry[side] = newSide(exchange)
          else noteAnswer(known, answerSet)
          if (entry.inside === undefined || entry.outside === undefined) return
          entry.name = exchange.name
          lookUp(context, entry.inside)
          lookUp(context, entry.outside)
        } else if (!addAnswer(context, known!, answerSet)) return
        entry.changedMicros = exchange.responseMicros
      },
      connectionOpened(connection) {
        if (connection.outcome !== 'refused') return
        noteFailure(failures, connection.serverAddress, 'connections to {address} are refused')
      },
      http(message) {
        if (message.kind !== 'response' || (message.status ?? 0) < 500) return
        noteFailure(failures, message.serverAddress, `{address} answers with ${message.status}`)
      },
      // A name may be asked on the other side at any time, and its answers rotate: compared when nothing new came for a while.
      tick(timeMicros) {
        if (timeMicros < nextMicros) return
        nextMicros = timeMicros + SETTLED_MICROS
        look(timeMicros - SETTLED_MICROS)
      },
      end: () => look(Number.POSITIVE_INFINITY),
    }
  },
}

const MAX_FAILURES = 10_000

interface Difference {
  host: string
  inside: Side
  outside: Side
  why: string
}

function noteFailure(failures: Map<string, string>, address: string, what: string): void {
  if (failures.size < MAX_FAILURES) failures.set(address, what.replace('{address}', address))
}

/** What is wrong with the answer inside, or ''. */
function faultOf(inside: Side, outside: Side, failures: ReadonlyMap<string, string>): string {
  const given = [...inside.addresses]
  if (given.every(isNowhere) && ![...outside.addresses].every(isNowhere)) {
    return 'the address inside is nowhere on the internet, as filters give it'
  }
  const failed = given.map((address) => failures.get(address))
  if (failed.some((one) => one === undefined)) return ''
  const worksOutside = [...outside.addresses].some((address) => !failures.has(address))
  return worksOutside ? (failed[0] ?? '') : ''
}

function faulty(one: Difference): RaisedFinding {
  const { host, inside } = one
  return {
    key: `${host} ${[...inside.addresses][0]!.includes(':') ? 6 : 4}`,
    timeMicros: inside.atMicros,
    severity: 'warning',
    confidence: 'probable',
    interface: inside.interfaceName,
    message: FAULTY_MESSAGE,
    advice: FAULTY_ADVICE,
    data: { ...dataOf(one), why: one.why },
    evidence: evidenceOf(inside),
    filter: nameFilter([host]),
  }
}

function folded(differences: readonly Difference[], count: number): RaisedFinding {
  const first = differences[0]!
  const hosts = [...new Set(differences.map((one) => one.host))]
  return {
    key: 'content-networks',
    timeMicros: first.inside.atMicros,
    confidence: 'weak',
    interface: first.inside.interfaceName,
    count,
    data: { ...dataOf(first), hosts: hosts.slice(0, MAX_NAMES_IN_FINDING), hostCount: hosts.length },
    evidence: evidenceOf(first.inside),
    filter: nameFilter(hosts.slice(0, MAX_NAMES_IN_FINDING)),
  }
}

function dataOf({ host, inside, outside }: Difference): Record<string, unknown> {
  return {
    host,
    server: inside.server,
    insideServer: inside.server,
    outsideServer: outside.server,
    insideAddresses: [...inside.addresses],
    outsideAddresses: [...outside.addresses],
  }
}

/** Names come from the wire: only plain ones go into a filter. */
function nameFilter(hosts: readonly string[]): string {
  const plain = hosts.filter((host) => /^[\w.-]{1,253}$/.test(host))
  return `dns.qry.name in {${plain.map((host) => `"${host}"`).join(', ')}}`
}

function sideOf(exchange: DnsExchange): 'inside' | 'outside' | undefined {
  if (exchange.judgement === 'inside') return 'inside'
  return exchange.judgement === 'local' || exchange.judgement === 'unknown' ? undefined : 'outside'
}

function newSide(exchange: DnsExchange): Side {
  return {
    sets: [exchange.answerSet],
    addresses: NO_ADDRESSES,
    latestSet: exchange.answerSet,
    server: exchange.serverAddress,
    interfaceName: exchange.interfaceName,
    source: exchange.inputName,
    frame: exchange.responseFrame,
    atMicros: exchange.responseMicros,
  }
}

function evidenceOf({ source, frame }: Side): Evidence {
  return { source, frame }
}

/** While one side alone is known. */
function noteAnswer(side: Side, answerSet: number): void {
  side.latestSet = answerSet
  if (side.sets.length < MAX_ADDRESSES && !side.sets.includes(answerSet)) side.sets.push(answerSet)
}

/** Makes text of a side's answers, once. */
function lookUp(context: DetectorContext, side: Side): void {
  side.addresses = new Set()
  for (const set of side.sets) addAnswer(context, side, set)
  side.sets = []
}

/** Whether it gives an address that was not known. */
function addAnswer(context: DetectorContext, side: Side, answerSet: number): boolean {
  side.latestSet = answerSet
  const before = side.addresses.size
  for (const address of context.answersOf(answerSet)) {
    if (side.addresses.size < MAX_ADDRESSES) side.addresses.add(address)
  }
  return side.addresses.size !== before
}

/** An address in common, or one operator behind all (OONI: the same AS is consistent). */
function isConsistent(context: DetectorContext, inside: Side, outside: Side): boolean {
  for (const one of inside.addresses) {
    if (outside.addresses.has(one)) return true
    const asn = context.ownerOf(one)?.asn
    if (asn !== undefined && [...outside.addresses].some((other) => context.ownerOf(other)?.asn === asn)) return true
  }
  return false
}

function isNowhere(address: string): boolean {
  const words = parseAddress(address)
  return words !== undefined && !isPublicAddress(...words)
}
