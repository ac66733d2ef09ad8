// Bounded maps in which the oldest entries make room.

/** Of a full map this part goes at once: to find the first entry anew each time would mean to walk over all removed ones. */
const SHARE = 8

/** Where the map holds `max` entries, an eighth of them, the oldest, are handed to `remove`, which deletes each. */
export function makeRoom<K, V>(
  map: Map<K, V>,
  max: number,
  remove: (key: K, value: V) => void = (key) => map.delete(key),
): void {
  if (map.size < max) return
  let left = Math.ceil(max / SHARE)
  for (const [key, value] of map) {
    if (left-- === 0) return
    remove(key, value)
  }
}
