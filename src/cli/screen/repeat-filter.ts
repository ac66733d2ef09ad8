// Which findings are worth another line in a pipe or a log: the first, then whenever the count has doubled.

/** A line again when the count has grown by this. */
const REPEAT_FACTOR = 2
/** Findings of which the last count told is remembered. */
const MAX_REMEMBERED = 10_000

export interface CountedFinding {
  readonly id: string
  readonly key: string
  readonly epoch: number
  readonly count: number
}

/** A function that says whether a finding, as it now stands, is worth a line; it remembers what it agreed to. */
export function createRepeatFilter(): (finding: CountedFinding) => boolean {
  const told = new Map<string, number>()
  return ({ id, key, epoch, count }) => {
    const name = `${epoch} ${id} ${key}`
    if (count < (told.get(name) ?? 0) * REPEAT_FACTOR) return false
    told.delete(name)
    told.set(name, count)
    if (told.size > MAX_REMEMBERED) told.delete(told.keys().next().value!)
    return true
  }
}
