// Going the ways: every resolver is asked once for each IP version, then each interface opens the site at each different
// address, one after the other; interfaces side by side. All of it ends in time.
import { setTimeout } from 'node:timers/promises'
import type { CheckResolver } from '../model/check.ts'
import type { IpFamily, NetworkContext } from '../model/network-context.ts'
import { type Asked, ask } from './ask.ts'
import type { BoundSockets } from './bound-sockets.ts'
import { type FetchOutcome, fetchOver } from './fetch.ts'
import type { CheckPlan, PlannedWay } from './plan.ts'
import { leavesTheMachine } from './target.ts'
import { hasRoute, isOurs } from './ways-out.ts'

export interface GoOptions {
  readonly plan: CheckPlan
  /** The routes by which addresses are reached. */
  readonly context: NetworkContext
  readonly sockets: BoundSockets
  /** Of one connection with all that follows. */
  readonly timeoutMillis: number
  readonly ca?: readonly string[]
  /** A person has had enough. */
  readonly signal: AbortSignal
  /** Hears what happens, a line each. */
  readonly tell: (event: GoEvent) => void
}

export type GoEvent =
  | { what: 'asked'; asked: Asked }
  | { what: 'opens'; addresses: readonly { interfaceName: string; address: string }[] }
  | { what: 'opened'; outcome: FetchOutcome }

/** What came of one way. */
export interface WayOutcome {
  readonly planned: PlannedWay
  readonly asked?: Asked
  /** In this way's IP version. */
  readonly answers: readonly string[]
  readonly address?: string
  readonly fetched?: FetchOutcome
  /** The resolver has no address in this IP version, which is nothing wrong: a name need not have one. */
  readonly isOtherVersion?: boolean
  /** Why no connection was tried. */
  readonly skipped?: string
}

/** Times the time of one connection: what has not begun by then is not begun. */
const ALL_TIMES = 5
/** With less than this left nothing can be told from silence. */
const LEAST_MILLIS = 2000
/**
 * Further apart than what counts as asked inside and outside at once (rules.md R11): a daemon that watches is not to blame
 * the system's way of asking.
 */
const BETWEEN_RESOLVERS_MILLIS = 150
/** Connections of one interface. */
const MAX_OPENED = 6
/** What is said of a way that the time did not suffice for. */
export const NO_TIME = 'no time was left'

/** The ways that there are, and of those that there turned out not to be a sentence each. */
export interface Gone {
  readonly ways: readonly WayOutcome[]
  readonly notes: readonly string[]
}

/** Never throws but for bugs and `bind-right`. */
export async function goWays(options: GoOptions): Promise<Gone> {
  const asked = await askAll(options)
  const { ways, notes } = existingWays(options.plan, withAddresses(options, asked))
  const opened = await openAll(options, ways)
  return {
    notes,
    ways: ways.map((one) => {
      const fetched = one.skipped === undefined && one.address !== undefined ? opened.get(keyOf(one)) : undefined
      if (fetched === undefined) return one
      return typeof fetched === 'string' ? { ...one, skipped: fetched } : { ...one, fetched }
    }),
  }
}

/** Not a router that is no resolver, nor an IP version in which the site has no address. */
function existingWays({ target }: CheckPlan, all: readonly WayOutcome[]): Gone {
  const notes = new Set<string>()
  const isResolver = ({ planned: { resolver }, asked }: WayOutcome) => {
    if (resolver?.source !== 'router' || asked?.answer !== undefined) return true
    notes.add(`The router ${resolver.address} (${resolver.over}) is no resolver.`)
    return false
  }
  const asked = all.filter(isResolver)
  const ways = asked.map((one) => (isOtherVersion(one, asked, notes) ? { ...one, isOtherVersion: true } : one))
  for (const family of [4, 6] as const) {
    const own = ways.filter((one) => one.planned.family === family)
    const others = ways.filter((one) => one.planned.family !== family)
    if (own.length === 0 || others.length === 0 || !own.every((one) => one.isOtherVersion === true)) continue
    notes.add(`${target.host} has no IPv${family} address.`)
    return { ways: others, notes: [...notes] }
  }
  return { ways, notes: [...notes] }
}

/** It said so; or it has an address in the other version, and what it says of this one keeps nobody from the site. */
function isOtherVersion(
  { planned, asked, answers }: WayOutcome,
  all: readonly WayOutcome[],
  notes: Set<string>,
): boolean {
  if (asked === undefined || answers.length > 0) return false
  if (asked.answer?.rcode === 'NOERROR') return true
  if (asked.fault === 'interrupted') return false
  const { resolver } = planned
  if (!all.some((one) => one.planned.resolver === resolver && one.answers.length > 0)) return false
  const [type, other] = planned.family === 4 ? ['A', 'AAAA'] : ['AAAA', 'A']
  notes.add(
    `${resolver!.address} has no answer for ${type} (${asked.answer?.rcode ?? asked.fault}), though one for ${other}.`,
  )
  return true
}

async function askAll({ plan, sockets, signal, tell }: GoOptions): Promise<Map<string, Asked>> {
  const questions = new Map<string, { resolver: CheckResolver; family: IpFamily }>()
  for (const { resolver, family } of plan.ways) {
    if (resolver !== undefined) questions.set(questionKey(resolver, family), { resolver, family })
  }
  const answered = await Promise.all(
    [...questions].map(async ([key, { resolver, family }]) => {
      const waitMillis = plan.resolvers.indexOf(resolver) * BETWEEN_RESOLVERS_MILLIS
      // Interrupted, it is over at once.
      await setTimeout(waitMillis, undefined, { signal }).catch(() => {})
      const asked = await ask(sockets, resolver, plan.target.host, family, signal)
      tell({ what: 'asked', asked })
      return [key, asked] as const
    }),
  )
  return new Map(answered)
}

function questionKey({ address, port, over }: CheckResolver, family: IpFamily): string {
  return `${family} ${address} ${port} ${over}`
}

/** An address that several resolvers gave is the one for all of them: one change at a time. */
function withAddresses({ plan, context, signal }: GoOptions, asked: ReadonlyMap<string, Asked>): WayOutcome[] {
  const taken = new Set<string>()
  return plan.ways.map((planned): WayOutcome => {
    const { resolver, family, over } = planned
    const question = resolver === undefined ? undefined : asked.get(questionKey(resolver, family))
    const answers = resolver === undefined ? [plan.target.host] : (question?.answer?.addresses ?? [])
    const base = { planned, answers, ...(question === undefined ? {} : { asked: question }) }
    if (signal.aborted) return { ...base, skipped: 'interrupted' }
    if (answers.length === 0) return base
    const open = answers.filter((one) => leavesTheMachine(one) && !isOurs(context, one))
    const address = open.find((one) => taken.has(one)) ?? open[0]
    if (address === undefined) return { ...base, skipped: 'the answer is this machine itself, or nobody' }
    taken.add(address)
    const index = context.interfaces.find((one) => one.link.name === over.name)?.link.index
    if (index !== undefined && !plan.chosen.includes(over.name) && !hasRoute(context.routes, index, address)) {
      return { ...base, address, skipped: 'no route leads there' }
    }
    return { ...base, address }
  })
}

function keyOf({ planned, address }: WayOutcome): string {
  return `${planned.over.name} ${address}`
}

/** An outcome, or why it was not tried. */
type Opened = FetchOutcome | string

async function openAll(options: GoOptions, ways: readonly WayOutcome[]): Promise<Map<string, Opened>> {
  const { plan, sockets, timeoutMillis, ca, signal, tell } = options
  const lanes = new Map<string, string[]>()
  for (const { planned, address, skipped } of ways) {
    if (address === undefined || skipped !== undefined) continue
    const lane = lanes.get(planned.over.name) ?? []
    lanes.set(planned.over.name, lane)
    if (!lane.includes(address)) lane.push(address)
  }
  tell({
    what: 'opens',
    addresses: [...lanes].flatMap(([interfaceName, lane]) =>
      lane.slice(0, MAX_OPENED).map((address) => ({ interfaceName, address })),
    ),
  })
  const opened = new Map<string, Opened>()
  const endMillis = performance.now() + ALL_TIMES * timeoutMillis
  await Promise.all(
    [...lanes].map(async ([interfaceName, lane]) => {
      for (const [index, address] of lane.entries()) {
        const key = `${interfaceName} ${address}`
        const left = endMillis - performance.now()
        if (index >= MAX_OPENED) opened.set(key, `more than ${MAX_OPENED} addresses`)
        else if (signal.aborted) opened.set(key, 'interrupted')
        else if (left < LEAST_MILLIS) opened.set(key, NO_TIME)
        else {
          const outcome = await fetchOver(sockets, {
            target: plan.target,
            interfaceName,
            address,
            timeoutMillis: Math.min(timeoutMillis, left),
            ...(ca === undefined ? {} : { ca }),
            signal,
          })
          opened.set(key, outcome)
          tell({ what: 'opened', outcome })
        }
      }
    }),
  )
  return opened
}
