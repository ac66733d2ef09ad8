// What was seen of each site in each epoch: its questions and its connections, joined by name and address. Connections
// wait until their epoch is known; bounded by groups (site and epoch) and by connections kept of each.
import { MAX_OPEN_VISITS, MAX_OWN_VISITS, MAX_SITE_GROUPS, MAX_VISITS_KEPT } from '../../constants/limits.ts'
import type { FactHandlers } from '../../model/facts.ts'
import type { OwnProbes, ProbeEnds } from '../../model/own-probes.ts'
import type { SiteNetwork, SiteObservation } from '../../model/site.ts'
import { parseAddress } from '../../text/address.ts'
import { makeRoom } from '../make-room.ts'
import type { AddressTable } from './addresses.ts'
import type { AnswerTable } from './dns-answers.ts'
import type { NameTable } from './names.ts'
import { QUESTION_MASK, type SiteQuestions } from './site-questions.ts'
import { observationOf, outcomeOfGroup, type SiteGroup, type SiteWords } from './site-summary.ts'
import { createVisitTracker, type Visit } from './site-visits.ts'

/** Hears of a site that fails, of what it was in other epochs, and when its latest connection began. */
export type SiteListener = (now: SiteObservation, others: SiteObservation[], timeMicros: number) => void

/** What the sites are held against; asked when visits are given to their epochs. */
export interface SiteContext {
  epochAt(timeMicros: number): number
  /** The network of an epoch without the interface. */
  networkOf(epochId: number): SiteNetwork
}

/** Some of our own probes of a site: one way that `check` went. */
export interface ProbeChoice {
  readonly host: string
  readonly network: SiteNetwork
  readonly connections: readonly ProbeEnds[]
  readonly questions: readonly ProbeEnds[]
}

export interface SiteOptions {
  /** A name that was asked for counts as a site without a connection too. */
  namesAreSites?: boolean
  ownProbes?: OwnProbes
}

export interface SiteTracker {
  readonly handlers: FactHandlers
  /** Gives what has come to its epochs. `tell` gets each site that fails and was seen in another epoch too, when it changed. */
  settle(context: SiteContext, tell: SiteListener): void
  /** So many connections wait that they should be given to their epochs. */
  isFull(): boolean
  /** Those that are new or have changed since the last call, at most `limit`; to be asked after `settle`. */
  takeChanged(context: SiteContext, limit: number): SiteObservation[]
  all(context: SiteContext): SiteObservation[]
  /** What was seen of these alone, whatever else was seen of the site; undefined when nothing. To be asked after `settle`. */
  observe(context: SiteContext, choice: ProbeChoice): SiteObservation | undefined
}

export function createSiteTracker(
  names: NameTable,
  addresses: AddressTable,
  answers: AnswerTable,
  questions: SiteQuestions,
  words: SiteWords,
  { namesAreSites = false, ownProbes }: SiteOptions = {},
): SiteTracker {
  const visits = createVisitTracker(answers.isAnswered, ownProbes)
  /** Also those that their group has no room for. */
  const ownVisits: Visit[] = []
  const groups = new Map<string, SiteGroup>()
  const byHost = new Map<string, Set<SiteGroup>>()
  /** Questions up to here were counted for the sites known then. */
  let countedTo = 0

  function groupOf(host: string, epoch: number): SiteGroup {
    const key = `${epoch} ${host}`
    let group = groups.get(key)
    if (group !== undefined) return group
    makeRoom(groups, MAX_SITE_GROUPS, (_, oldest) => forget(oldest))
    group = newGroup(host, epoch)
    groups.set(key, group)
    const known = byHost.get(host)
    if (known === undefined) byHost.set(host, new Set([group]))
    else known.add(group)
    return group
  }

  function forget(group: SiteGroup): void {
    groups.delete(`${group.epoch} ${group.host}`)
    const known = byHost.get(group.host)
    known?.delete(group)
    if (known?.size === 0) byHost.delete(group.host)
  }

  function add(visit: Visit, epoch: number): void {
    const group = groupOf(visit.host, epoch)
    // The first ones and the latest ones: how it began and how it is.
    if (group.visits.length < MAX_VISITS_KEPT) group.visits.push(visit)
    else group.visits[MAX_VISITS_KEPT / 2 + (group.visitCount % (MAX_VISITS_KEPT / 2))] = visit
    group.visitCount++
    visit.owner = group
    group.isTold = false
    group.isTaken = false
    if (ownVisits.length < MAX_OWN_VISITS && ownProbes?.siteOf(visit.clientPort, visit.address) !== undefined) {
      ownVisits.push(visit)
    }
  }

  /** The newest question before a moment whose answer gave that address. */
  function hostOf(addressId: number, timeMicros: number): string {
    const { nameId, queryMicros, answers: sets } = questions.columns
    const { first } = questions
    for (let seq = questions.end - 1; seq >= first; seq--) {
      const slot = seq & QUESTION_MASK
      if (answers.holds(sets[slot]!, addressId) && queryMicros[slot]! <= timeMicros) return names.text(nameId[slot]!)
    }
    return ''
  }

  /** Counts the questions for known sites: new ones for all, all for new ones. */
  function countQuestions(newHosts: ReadonlySet<string>): void {
    if (byHost.size === 0 && !namesAreSites) return
    const { columns } = questions
    const from = newHosts.size > 0 ? questions.first : Math.max(countedTo, questions.first)
    const { end } = questions
    for (let seq = from; seq < end; seq++) {
      const slot = seq & QUESTION_MASK
      const host = names.text(columns.nameId[slot]!)
      if (seq < countedTo && !newHosts.has(host)) continue
      if (!namesAreSites && !byHost.has(host)) continue
      countQuestion(groupOf(host, columns.epoch[slot]!), slot)
    }
    countedTo = end
  }

  function countQuestion(group: SiteGroup, slot: number): void {
    const { columns } = questions
    group.dns ??= {
      serverId: 0,
      interfaceId: 0,
      questions: 0,
      answered: 0,
      timedOut: 0,
      latencies: [],
      rcode: -1,
      answers: new Set(),
      chain: [],
      extendedErrors: [],
      frame: 0,
      firstMicros: columns.queryMicros[slot]!,
      lastMicros: 0,
    }
    group.isTold = false
    group.isTaken = false
    const { dns } = group
    dns.serverId = columns.server[slot]!
    dns.interfaceId = columns.interfaceId[slot]!
    dns.questions += columns.questions[slot]!
    dns.lastMicros = columns.queryMicros[slot]!
    if (columns.outcome[slot] === 1) dns.timedOut++
    if (columns.outcome[slot] !== 0) return
    dns.answered++
    if (dns.latencies.length < MAX_LATENCIES) dns.latencies.push(columns.latencyMicros[slot]!)
    // An AAAA answer without addresses says nothing of the A answer beside it.
    const given = answers.addressesOf(columns.answers[slot]!)
    if (given.length > 0 || dns.rcode < 0 || columns.rcode[slot] !== 0) {
      if (!(dns.answers.size > 0 && given.length === 0)) dns.rcode = columns.rcode[slot]!
    }
    dns.frame = columns.responseFrame[slot]!
    for (const id of given) if (dns.answers.size < MAX_ANSWERS) dns.answers.add(id)
    const note = questions.noteOf(columns.nameId[slot]!, columns.server[slot]!)
    if (note === undefined) return
    dns.chain = note.chain
    dns.extendedErrors = note.extendedErrors
  }

  function settle(context: SiteContext, tell: SiteListener): void {
    const begun = visits.takeBegun()
    const hasChanged = visits.takeChanged()
    const newHosts = new Set<string>()
    for (const visit of begun) {
      if (visit.host === '') visit.host = nameOfFailed(visit)
      if (visit.host === '') continue
      if (!byHost.has(visit.host)) newHosts.add(visit.host)
      add(visit, context.epochAt(visit.timeMicros))
    }
    if (questions.end > countedTo || newHosts.size > 0) countQuestions(newHosts)
    if (!hasChanged && begun.length === 0) return
    for (const known of byHost.values()) {
      if (known.size < 2) continue
      for (const group of known) if (!group.isTold) tellOf(group, known, context, tell)
    }
  }

  function nameOfFailed(visit: Visit): string {
    const parsed = parseAddress(visit.address)
    return parsed === undefined ? '' : hostOf(addresses.idOf(Uint32Array.from(parsed), 0), visit.timeMicros)
  }

  function tellOf(group: SiteGroup, known: ReadonlySet<SiteGroup>, context: SiteContext, tell: SiteListener): void {
    group.isTold = true
    if (group.visits.length === 0 || outcomeOfGroup(group) !== 'fails') return
    const now = observationOf(group, context.networkOf(group.epoch), words)
    const others = [...known].filter((one) => one !== group)
    tell(
      now,
      others.map((one) => observationOf(one, context.networkOf(one.epoch), words)),
      Math.max(...group.visits.map((one) => one.timeMicros)),
    )
  }

  return {
    handlers: visits.handlers,
    settle,
    isFull: () => visits.begunCount() >= MAX_OPEN_VISITS,
    takeChanged(context, limit) {
      const taken: SiteObservation[] = []
      for (const group of groups.values()) {
        if (group.isTaken) continue
        group.isTaken = true
        if (taken.push(observationOf(group, context.networkOf(group.epoch), words)) === limit) break
      }
      return taken
    },
    all: (context) =>
      [...groups.values()]
        .map((group) => observationOf(group, context.networkOf(group.epoch), words))
        .sort((a, b) => (a.host < b.host ? -1 : a.host > b.host ? 1 : a.epoch - b.epoch)),
    observe(context, { host, network, connections, questions: asked }) {
      const chosen = ownVisits.filter((one) => isAmong(connections, one.clientPort, one.address))
      const group = newGroup(host, chosen[0] === undefined ? 1 : context.epochAt(chosen[0].timeMicros))
      group.visits = chosen
      group.visitCount = chosen.length
      const { columns, first, end } = questions
      for (let seq = first; seq < end; seq++) {
        const slot = seq & QUESTION_MASK
        if (!isAmong(asked, columns.clientPort[slot]!, addresses.text(columns.server[slot]!))) continue
        if (names.text(columns.nameId[slot]!) === host) countQuestion(group, slot)
      }
      return chosen.length === 0 && group.dns === undefined ? undefined : observationOf(group, network, words)
    },
  }
}

function newGroup(host: string, epoch: number): SiteGroup {
  return { host, epoch, visits: [], visitCount: 0, dns: undefined, isTold: false, isTaken: false }
}

function isAmong(ends: readonly ProbeEnds[], clientPort: number, serverAddress: string): boolean {
  return ends.some((one) => one.clientPort === clientPort && one.serverAddress === serverAddress)
}

/** Answers timed of one site; the middle of so many is exact enough. */
const MAX_LATENCIES = 64
/** Addresses kept of one site's answers. */
const MAX_ANSWERS = 32
