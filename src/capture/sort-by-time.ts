// A stable merge sort of row numbers by time, made for rows that are nearly in order.
// HOT PATH

const RUN_LEN = 16

/**
 * Sorts the first `count` row numbers of `order` by time, equal times by input, equal inputs as they stood.
 * `scratch` is as long as `order`.
 */
export function sortByTime(
  order: Uint32Array,
  scratch: Uint32Array,
  count: number,
  timeMicros: Float64Array,
  inputIndex: Uint16Array,
): void {
  for (let from = 0; from < count; from += RUN_LEN) {
    insertionSort(order, from, Math.min(from + RUN_LEN, count), timeMicros, inputIndex)
  }
  for (let width = RUN_LEN; width < count; width *= 2) {
    for (let from = 0; from + width < count; from += width * 2) {
      const middle = from + width
      if (!isBefore(order[middle]!, order[middle - 1]!, timeMicros, inputIndex)) continue
      mergeRuns(order, scratch, from, middle, Math.min(middle + width, count), timeMicros, inputIndex)
    }
  }
}

function isBefore(row: number, other: number, timeMicros: Float64Array, inputIndex: Uint16Array): boolean {
  const time = timeMicros[row]!
  const otherTime = timeMicros[other]!
  return time < otherTime || (time === otherTime && inputIndex[row]! < inputIndex[other]!)
}

function insertionSort(
  order: Uint32Array,
  from: number,
  to: number,
  timeMicros: Float64Array,
  inputIndex: Uint16Array,
): void {
  for (let at = from + 1; at < to; at++) {
    const row = order[at]!
    let hole = at
    while (hole > from && isBefore(row, order[hole - 1]!, timeMicros, inputIndex)) {
      order[hole] = order[hole - 1]!
      hole--
    }
    order[hole] = row
  }
}

/** Merges order[from .. middle) and order[middle .. to); only the first is set aside. */
function mergeRuns(
  order: Uint32Array,
  scratch: Uint32Array,
  from: number,
  middle: number,
  to: number,
  timeMicros: Float64Array,
  inputIndex: Uint16Array,
): void {
  for (let at = from; at < middle; at++) scratch[at] = order[at]!
  let left = from
  let right = middle
  let at = from
  while (left < middle) {
    if (right < to && isBefore(order[right]!, scratch[left]!, timeMicros, inputIndex)) order[at++] = order[right++]!
    else order[at++] = scratch[left++]!
  }
}
