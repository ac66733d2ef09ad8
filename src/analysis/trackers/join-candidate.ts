// One outer flow that may be a tunnel: its ballot while that is open, its traffic when it is proven. Cold: made once a flow.
import type { AddressTable } from './addresses.ts'
import { KEY_WORDS, PORTS_WORD, type Ring } from './join-ring.ts'
import { JoinTraffic } from './join-traffic.ts'
import { JoinVotes } from './join-votes.ts'

/** Outer flows with a ballot; the one with the fewest votes makes room. */
const MAX_CANDIDATES = 64

/** One outer flow that may carry one interface's packets. */
export interface JoinCandidate {
  readonly innerInterfaceId: number
  readonly outerInterfaceId: number
  readonly keyHash: number
  readonly ipProtocol: number
  readonly outerFamily: 4 | 6
  readonly lowerId: number
  readonly higherId: number
  readonly lowerPort: number
  readonly higherPort: number
  readonly votes: JoinVotes
  /** Outer packets that voted for the leader; each counts once. */
  explained: number
  leader: number
  /** Whole outer packets since the first vote. */
  packets: number
  lastVoter: number
  largestOuterLen: number
  firstMicros: number
  lastMicros: number
  /** Set when it is proven: from then on packets are matched, not counted, as if we were the one end and the other. */
  asLower: JoinTraffic | undefined
  asHigher: JoinTraffic | undefined
}

/** The candidate is proven: from now on its packets are matched. */
export function startMatching(candidate: JoinCandidate, candidates: JoinCandidate[], proven: JoinCandidate[]): void {
  const { overhead, padding } = candidate.votes
  const { unit, trailer } = padding
  candidate.asLower = new JoinTraffic(overhead, unit, trailer, candidate.largestOuterLen)
  candidate.asHigher = new JoinTraffic(overhead, unit, trailer, candidate.largestOuterLen)
  candidates.splice(candidates.indexOf(candidate), 1)
  proven.push(candidate)
}

/** When the table is full, the one with the fewest votes makes room. */
export function addCandidate(
  candidates: JoinCandidate[],
  addresses: AddressTable,
  outer: Ring,
  at: number,
  innerInterfaceId: number,
  timeMicros: number,
): JoinCandidate {
  if (candidates.length === MAX_CANDIDATES) {
    let least = 0
    for (let i = 1; i < candidates.length; i++) {
      if (candidates[i]!.votes.hits < candidates[least]!.votes.hits) least = i
    }
    candidates.splice(least, 1)
  }
  const keyAt = at * KEY_WORDS
  const ports = outer.key[keyAt + PORTS_WORD]!
  const made: JoinCandidate = {
    innerInterfaceId,
    outerInterfaceId: outer.interfaceId,
    keyHash: outer.flowHash[at]!,
    ipProtocol: outer.ipProtocol[at]!,
    outerFamily: outer.ipVersion[at] === 6 ? 6 : 4,
    lowerId: addresses.intern(outer.key, keyAt),
    higherId: addresses.intern(outer.key, keyAt + 4),
    lowerPort: ports >>> 16,
    higherPort: ports & 0xffff,
    votes: new JoinVotes(),
    explained: 0,
    leader: -1,
    packets: 0,
    lastVoter: 0,
    largestOuterLen: 0,
    firstMicros: timeMicros,
    lastMicros: timeMicros,
    asLower: undefined,
    asHigher: undefined,
  }
  candidates.push(made)
  return made
}
