// Which ways there are: interfaces that lead out, times resolvers, times IP versions, and no more than end within a minute.
// Pure; nothing is sent.
import type { CheckInterface, CheckResolver } from '../model/check.ts'
import type { IpFamily, NetworkContext } from '../model/network-context.ts'
import { OperatorError } from '../model/operator-error.ts'
import { resolversFor } from './resolvers-of.ts'
import type { SystemHints } from './system-hints.ts'
import type { Target } from './target.ts'
import { isOurs, isUp, waysOut } from './ways-out.ts'

export interface PlanOptions {
  /** Names of -i; empty = every way out. */
  readonly interfaces: readonly string[]
  /** Addresses of --resolver. */
  readonly resolvers: readonly string[]
  /** -4 or -6; absent = both. */
  readonly family?: IpFamily
}

/** An interface, a resolver (none for an address) and an IP version. */
export interface PlannedWay {
  readonly over: CheckInterface
  readonly resolver?: CheckResolver
  readonly family: IpFamily
}

export interface CheckPlan {
  readonly target: Target
  readonly interfaces: readonly CheckInterface[]
  readonly resolvers: readonly CheckResolver[]
  readonly ways: readonly PlannedWay[]
  /** Named by -i: gone whatever the routes say. */
  readonly chosen: readonly string[]
  /** A tunnel is up, so that what leaves by a physical interface leaves outside of it. */
  readonly hasTunnel: boolean
  /** What a reader should know of the ways that are not there, a sentence each. */
  readonly notes: readonly string[]
}

/** Interfaces, resolvers and ways at the most: a person waits for all of it. */
const MAX_INTERFACES = 4
const MAX_RESOLVERS = 6
const MAX_WAYS = 24

/** @throws OperatorError `bad-url`, `no-such-interface`, `no-way`, `no-resolver` */
export function planCheck(
  context: NetworkContext,
  target: Target,
  options: PlanOptions,
  hints: SystemHints,
): CheckPlan {
  checkNames(context, options.interfaces)
  if (isOurs(context, target.host)) {
    throw new OperatorError('bad-url', `${target.shown}: that is this machine itself: nothing to compare.`)
  }
  const notes: string[] = []
  const families = ([4, 6] as const).filter(
    (one) => one === (target.addressFamily ?? one) && one === (options.family ?? one),
  )
  const all = waysOut(context, target, families, options.interfaces, hints, (sentence) => notes.push(sentence))
  if (all.length === 0) throw noWay(target, options)
  const interfaces = all.slice(0, MAX_INTERFACES)
  noteRest(
    notes,
    'interfaces',
    all.map((one) => one.name),
    MAX_INTERFACES,
  )
  const isNamed = target.addressFamily === undefined
  const known = isNamed ? resolversFor(context, interfaces, options.resolvers, hints) : []
  const resolvers = known.slice(0, MAX_RESOLVERS)
  noteRest(
    notes,
    'resolvers',
    known.map((one) => one.address),
    MAX_RESOLVERS,
  )
  if (isNamed && resolvers.length === 0) {
    throw new OperatorError('no-resolver', 'no resolver is known that could be asked; name one with --resolver.')
  }
  if (hints.hostsAddresses.length > 0) {
    notes.push(
      `/etc/hosts says that ${target.host} is ${hints.hostsAddresses.join(', ')}: programs here go there, whatever resolvers say.`,
    )
  }
  const ways = crossed(interfaces, isNamed ? resolvers : [undefined])
  if (ways.length > MAX_WAYS) {
    notes.push(`Of ${ways.length} ways the first ${MAX_WAYS} are gone; -i, -4 and -6 choose.`)
  }
  return {
    target,
    interfaces,
    resolvers,
    ways: ways.slice(0, MAX_WAYS),
    chosen: options.interfaces,
    hasTunnel: context.interfaces.some((one) => one.role === 'tunnel' && isUp(one)),
    notes,
  }
}

/** Each interface with its own resolvers first, then with those of others, IPv4 before IPv6: what is cut off matters least. */
function crossed(
  interfaces: readonly CheckInterface[],
  resolvers: readonly (CheckResolver | undefined)[],
): PlannedWay[] {
  const made = interfaces.flatMap((over) =>
    over.families.flatMap((family) =>
      resolvers.map((resolver) => ({ over, family, ...(resolver === undefined ? {} : { resolver }) })),
    ),
  )
  const rank = ({ over, family, resolver }: PlannedWay) =>
    (family === 6 ? 2 : 0) + (resolver === undefined || resolver.over === over.name ? 0 : 1)
  return made.sort((a, b) => rank(a) - rank(b))
}

function noteRest(notes: string[], what: string, names: readonly string[], max: number): void {
  if (names.length <= max) return
  notes.push(`Of ${names.length} ${what} the first ${max} are tried; left out: ${names.slice(max).join(', ')}.`)
}

function checkNames(context: NetworkContext, names: readonly string[]): void {
  const known = context.interfaces.map((one) => one.link.name)
  const stranger = names.find((name) => !known.includes(name))
  if (stranger === undefined) return
  throw new OperatorError(
    'no-such-interface',
    `-i ${stranger}: there is no such interface; there are ${known.join(', ')}.`,
  )
}

function noWay({ host, addressFamily }: Target, { interfaces, family }: PlanOptions): OperatorError {
  if (addressFamily !== undefined && family !== undefined && addressFamily !== family) {
    return new OperatorError('no-way', `${host} is no IPv${family} address.`)
  }
  const which = interfaces.length === 0 ? 'no interface' : `none of ${interfaces.join(', ')}`
  const how = family === undefined ? '' : ` with IPv${family}`
  return new OperatorError(
    'no-way',
    `${which} that is up with an address leads out${how}; tunnelscope interfaces shows what there is.`,
  )
}
