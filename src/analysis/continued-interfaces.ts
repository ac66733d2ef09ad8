// One interface in several captures that follow each other, as in a ring of files: where one file ends nothing happens to
// the network, so what the packets say of the interface goes on in the next one.
import type { CaptureInterface } from '../model/capture-interface.ts'
import type { LinkTracker } from './trackers/links.ts'

/** The interface `after` is `before` in a later capture: the same name and link type, and the packets do not overlap. */
export function isContinuation(
  interfaces: readonly CaptureInterface[],
  links: Pick<LinkTracker, 'figures'>,
  before: number,
  after: number,
): boolean {
  const one = interfaces[before]
  const other = interfaces[after]
  if (one?.name === undefined || one.name !== other?.name || one.linkType !== other.linkType) return false
  if (one.inputIndex === other.inputIndex) return false
  const first = links.figures(before)
  const second = links.figures(after)
  return first !== undefined && second !== undefined && first.lastMicros <= second.firstMicros
}

/** The ids by interface: those that continue each other together, in order of time. */
export function continuedInterfaces(
  ids: readonly number[],
  interfaces: readonly CaptureInterface[],
  links: Pick<LinkTracker, 'figures'>,
): number[][] {
  const firstMicros = (id: number): number => links.figures(id)?.firstMicros ?? Number.POSITIVE_INFINITY
  const parts: number[][] = []
  for (const id of ids.toSorted((a, b) => firstMicros(a) - firstMicros(b) || a - b)) {
    const known = parts.find((one) => isContinuation(interfaces, links, one[one.length - 1]!, id))
    if (known === undefined) parts.push([id])
    else known.push(id)
  }
  return parts
}
