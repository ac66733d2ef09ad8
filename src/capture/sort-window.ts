// A bounded window of packets that puts them in order of time. It fills, is sorted, gives its earlier half, and keeps
// the rest for the next round: whatever is disordered by less than half a window comes out right, and a packet with a
// wrong time disturbs no other.
// HOT PATH
import { BATCH_ROWS, SORT_WINDOW_LEN, SORT_WINDOW_ROWS } from '../constants/limits.ts'
import { createPacketBatch, type PacketBatch } from '../model/packet-batch.ts'
import { sortByTime } from './sort-by-time.ts'

/** Packets in a file stand this far apart: a record header and options. */
const NEIGHBOUR_GAP_LEN = 64

/** Rows with their bytes copied; `rows.bytes` is the arena. */
interface Store {
  readonly rows: PacketBatch
  readonly inputIndex: Uint16Array
  bytesLen: number
}

function createStore(): Store {
  return { rows: createPacketBatch(SORT_WINDOW_ROWS), inputIndex: new Uint16Array(SORT_WINDOW_ROWS), bytesLen: 0 }
}

export class SortWindow {
  #held = createStore()
  #spare = createStore()
  readonly #order = new Uint32Array(SORT_WINDOW_ROWS)
  readonly #scratch = new Uint32Array(SORT_WINDOW_ROWS)
  readonly #kept = new Uint8Array(SORT_WINDOW_ROWS)
  /** Of `order`: what has been taken, and what may be taken before the next round. */
  #takenCount = 0
  #dueCount = 0

  /** True when another batch might not fit. */
  get full(): boolean {
    return this.#held.rows.count + BATCH_ROWS > SORT_WINDOW_ROWS || this.#held.bytesLen >= SORT_WINDOW_LEN
  }

  /** Rows that take() can give. */
  get dueCount(): number {
    return this.#dueCount - this.#takenCount
  }

  /**
   * Copies rows from … to of a batch of the input, whose bytes follow one another as in a file. The window must not be
   * full nor have rows due.
   */
  add(batch: PacketBatch, from: number, to: number, inputIndex: number): void {
    const firstAt = batch.startAt[from]!
    const endAt = batch.startAt[to - 1]! + batch.capturedLen[to - 1]!
    const moveLen = copyBytes(batch.bytes, firstAt, endAt, this.#held)
    for (let row = from; row < to; row++) copyRow(batch, row, moveLen, this.#held, inputIndex)
  }

  /** Sorts what is held and makes the earlier part due: up to half stays, nothing when this is the `last`. */
  settle(last: boolean): void {
    const held = this.#held
    const count = held.rows.count
    const order = this.#order
    for (let at = 0; at < count; at++) order[at] = at
    sortByTime(order, this.#scratch, count, held.rows.timeMicros, held.inputIndex)
    this.#takenCount = 0
    this.#dueCount = count
    if (last) return
    const leastDue = Math.ceil(count / 2)
    let keptLen = 0
    while (this.#dueCount > leastDue) {
      keptLen += held.rows.capturedLen[order[this.#dueCount - 1]!]!
      if (keptLen > SORT_WINDOW_LEN / 2) break
      this.#dueCount--
    }
  }

  /** Fills `out` with due rows; their bytes stay valid until startRound(). Returns how many rows. */
  take(out: PacketBatch): number {
    const { rows } = this.#held
    const order = this.#order
    const count = Math.min(this.dueCount, out.timeMicros.length)
    out.bytes = rows.bytes
    out.count = count
    for (let row = 0; row < count; row++) {
      const from = order[this.#takenCount + row]!
      out.timeMicros[row] = rows.timeMicros[from]!
      out.startAt[row] = rows.startAt[from]!
      out.capturedLen[row] = rows.capturedLen[from]!
      out.wireLen[row] = rows.wireLen[from]!
      out.linkType[row] = rows.linkType[from]!
      out.interfaceId[row] = rows.interfaceId[from]!
      out.direction[row] = rows.direction[from]!
      out.frameNumber[row] = rows.frameNumber[from]!
    }
    this.#takenCount += count
    return count
  }

  /** Moves what was kept to the front so that the window can be filled again. Nothing may be due. */
  startRound(): void {
    const from = this.#held
    const into = this.#spare
    const { rows, inputIndex } = from
    const kept = this.#kept
    kept.fill(0, 0, rows.count)
    for (let at = this.#takenCount; at < rows.count; at++) kept[this.#order[at]!] = 1
    into.rows.count = 0
    into.bytesLen = 0
    let row = 0
    while (row < rows.count) {
      if (kept[row] === 0) {
        row++
        continue
      }
      // Neighbours that stay are moved together.
      const first = row
      let endAt = rows.startAt[first]!
      while (row < rows.count && kept[row] === 1 && rows.startAt[row]! - endAt <= NEIGHBOUR_GAP_LEN) {
        endAt = rows.startAt[row]! + rows.capturedLen[row]!
        row++
      }
      const moveLen = copyBytes(rows.bytes, rows.startAt[first]!, endAt, into)
      for (let each = first; each < row; each++) copyRow(rows, each, moveLen, into, inputIndex[each]!)
    }
    this.#held = into
    this.#spare = from
    this.#takenCount = 0
    this.#dueCount = 0
  }
}

/** COLD PATH: once for a run of packets. Appends bytes firstAt … endAt to the arena and returns how far they moved. */
function copyBytes(bytes: Uint8Array, firstAt: number, endAt: number, into: Store): number {
  const at = into.bytesLen
  const neededLen = at + endAt - firstAt
  if (neededLen > into.rows.bytes.length) growArena(into, neededLen)
  into.rows.bytes.set(bytes.subarray(firstAt, endAt), at)
  into.bytesLen = neededLen
  return at - firstAt
}

function copyRow(batch: PacketBatch, row: number, moveLen: number, into: Store, inputIndex: number): void {
  const rows = into.rows
  const to = rows.count++
  into.inputIndex[to] = inputIndex
  rows.timeMicros[to] = batch.timeMicros[row]!
  rows.startAt[to] = batch.startAt[row]! + moveLen
  rows.capturedLen[to] = batch.capturedLen[row]!
  rows.wireLen[to] = batch.wireLen[row]!
  rows.linkType[to] = batch.linkType[row]!
  rows.interfaceId[to] = batch.interfaceId[row]!
  rows.direction[to] = batch.direction[row]!
  rows.frameNumber[to] = batch.frameNumber[row]!
}

/** COLD PATH: a few times until the arena has its size. */
function growArena(store: Store, neededLen: number): void {
  const grown = new Uint8Array(Math.max(neededLen, store.rows.bytes.length * 2, 1 << 20))
  grown.set(store.rows.bytes.subarray(0, store.bytesLen))
  store.rows.bytes = grown
}
