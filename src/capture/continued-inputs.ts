// A ring of capture files (dumpcap -b, tcpdump -C and -G) is one capture: where a file ends nothing happens to the
// network. An interface that goes on in the next file keeps its id, and with it its connections, its addresses and its
// role; frames are numbered through, and InputSummary.continues leads back to their files.
import type { CaptureInterface, InputSummary, InterfaceStatistics } from '../model/capture-interface.ts'
import type { PacketBatch } from '../model/packet-batch.ts'

export class ContinuedInputs {
  readonly #interfaces: readonly CaptureInterface[]
  readonly #inputs: readonly InputSummary[]
  readonly #isRead: (inputIndex: number) => boolean
  /** By interface: the time of its last packet drawn from the input. */
  readonly #lastMicros: number[] = []
  /** By interface: the one it goes on as; itself unless it is a continuation. Undecided before its first packet. */
  readonly #target: number[] = []
  /** By input: the frames of those that it continues. Undecided before its first packet. */
  readonly #framesBefore: number[] = []
  /** Inputs that another one continues. */
  readonly #continued = new Set<number>()
  /** By the id that they go on as: continuations. */
  readonly #parts = new Map<number, CaptureInterface[]>()

  /** `isRead(inputIndex)`: all its packets have been drawn. The lists may grow. */
  constructor(
    interfaces: readonly CaptureInterface[],
    inputs: readonly InputSummary[],
    isRead: (inputIndex: number) => boolean,
  ) {
    this.#interfaces = interfaces
    this.#inputs = inputs
    this.#isRead = isRead
  }

  /** Rows from … to have been drawn from their input. */
  drawn(batch: PacketBatch, from: number, to: number): void {
    const { interfaceId, timeMicros } = batch
    for (let row = from; row < to; row++) {
      const id = interfaceId[row]!
      const last = this.#lastMicros[id]
      if (last === undefined || timeMicros[row]! > last) this.#lastMicros[id] = timeMicros[row]!
    }
  }

  /** Rewrites the interfaces and the frame numbers of a batch in order of time, which is handed on. */
  join(batch: PacketBatch): void {
    const { count, interfaceId, frameNumber, timeMicros } = batch
    for (let row = 0; row < count; row++) {
      const id = interfaceId[row]!
      const target = this.#target[id] ?? this.#decide(id, timeMicros[row]!)
      const before = this.#framesBefore[this.#interfaces[id]!.inputIndex]!
      interfaceId[row] = target
      frameNumber[row] = frameNumber[row]! + before
    }
  }

  /** All inputs have been read. An interface without packets goes on as well, and a file without any. */
  end(): void {
    for (const { id } of this.#interfaces)
      if (this.#target[id] === undefined) this.#decide(id, Number.POSITIVE_INFINITY)
  }

  /** Once for every interface of every input. */
  #decide(id: number, timeMicros: number): number {
    const one = this.#interfaces[id]!
    if (this.#framesBefore[one.inputIndex] === undefined) this.#decideInput(one.inputIndex)
    const before = this.#latestBefore(one)
    // Where packets overlap two captures were made at the same time.
    const isOne = before !== undefined && (this.#lastMicros[before] ?? 0) <= timeMicros
    const target = isOne ? (this.#target[before] ?? this.#decide(before, timeMicros)) : id
    this.#target[id] = target
    if (target !== id) this.#joinStatistics(this.#interfaces[target]!, one)
    return target
  }

  #joinStatistics(first: CaptureInterface, part: CaptureInterface): void {
    part.isContinuation = true
    const known = this.#parts.get(first.id)
    if (known !== undefined) {
      known.push(part)
      return
    }
    const own = first.statistics
    const parts = [part]
    this.#parts.set(first.id, parts)
    Object.defineProperty(first, 'statistics', { enumerable: true, get: () => statisticsOf(parts, own) })
  }

  #decideInput(inputIndex: number): void {
    const input = this.#inputs[inputIndex]!
    const before = this.#inputBefore(inputIndex)
    if (before === undefined) {
      this.#framesBefore[inputIndex] = 0
      return
    }
    input.continues = before
    this.#continued.add(before)
    this.#framesBefore[inputIndex] = this.#framesBefore[before]! + this.#inputs[before]!.packets
  }

  /** Of the inputs that have been read to their end and share an interface with this one, the one that began last. */
  #inputBefore(inputIndex: number): number | undefined {
    const own = this.#interfaces.filter((one) => one.inputIndex === inputIndex)
    let found: number | undefined
    for (const other of this.#interfaces) {
      const index = other.inputIndex
      if (index === inputIndex || index === found || this.#framesBefore[index] === undefined) continue
      if (this.#continued.has(index) || !this.#isRead(index)) continue
      if (found !== undefined && (this.#inputs[index]!.firstMicros ?? 0) < this.#inputs[found]!.firstMicros!) continue
      if (own.some((one) => isSame(one, other))) found = index
    }
    return found
  }

  /** The same interface in the nearest input before that has it. */
  #latestBefore(one: CaptureInterface): number | undefined {
    const likeIt = (inputIndex: number): CaptureInterface[] =>
      this.#interfaces.filter((other) => other.inputIndex === inputIndex && isSame(one, other))
    // Those without a name are told apart by their order.
    const place = likeIt(one.inputIndex).indexOf(one)
    let from = this.#inputs[one.inputIndex]!.continues
    while (from !== undefined) {
      const found = likeIt(from)[place]
      if (found !== undefined) return found.id
      from = this.#inputs[from]!.continues
    }
    return undefined
  }
}

/** By its name; where captures bear none (pcap), by the name of the file. */
function isSame(one: CaptureInterface, other: CaptureInterface): boolean {
  if (one.linkType !== other.linkType || one.name !== other.name) return false
  return one.name !== undefined || ringName(one.inputName) === ringName(other.inputName)
}

/** What the files of a ring have in common: they differ by a number behind the ending (tcpdump -C), or by numbers and times. */
export function ringName(path: string): string {
  return path
    .replace(/\.(?:gz|zst)$/, '')
    .replace(/(\.[a-z]+)\d+$/i, '$1')
    .replace(/\d{2,}/g, '#')
}

/** What the two say together: statistics stand at the end of each file, or of the last one, and are read when asked for. */
function statisticsOf(
  parts: readonly CaptureInterface[],
  own: InterfaceStatistics | undefined,
): InterfaceStatistics | undefined {
  return parts.reduce((all, part) => sum(all, part.statistics), own)
}

function sum(
  one: InterfaceStatistics | undefined,
  next: InterfaceStatistics | undefined,
): InterfaceStatistics | undefined {
  if (one === undefined || next === undefined) return one ?? next
  const made: InterfaceStatistics = { ...one, ...next }
  if (one.startMicros !== undefined) made.startMicros = one.startMicros
  for (const key of ['received', 'dropped'] as const) {
    if (one[key] !== undefined && next[key] !== undefined) made[key] = one[key] + next[key]
  }
  return made
}
