// Live capture with npm cap, for systems without our ring: one child process per interface, started again when it dies.
// Packets come in the order in which the children hand them on; how many were lost nobody says.
import { type ChildProcess, spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import type { CaptureInterface, InputSummary } from '../model/capture-interface.ts'
import { OperatorError } from '../model/operator-error.ts'
import { createPacketBatch, type PacketBatch } from '../model/packet-batch.ts'
import { CAP_RECORD_HEAD_LEN } from './cap-records.ts'
import { ClockWatch } from './clock-watch.ts'
import { LiveInterfaces } from './interfaces.ts'
import type { LinkNames, RingSourceOptions } from './ring-source.ts'
import type { CaptureAnnex, LiveSource } from './source.ts'

/** Beside this file, compiled or not as it is. */
const CHILD_FILE = fileURLToPath(import.meta.url.replace(/cap-source(\.\w+)$/, 'cap-child$1'))
const ARENA_LEN = 4 << 20
/** A child whose interface is down dies at once; it is tried again in this rhythm. */
const RESTART_MS = 500
/** Between a packet and its arrival here, when nobody keeps us from reading. */
const DELIVERY_MICROS = 100_000
const FIRST_PACKET_WAIT_MS = 3_000

const NOTHING = Buffer.alloc(0)

interface Child {
  readonly name: string
  readonly interfaceIndex: number
  process: ChildProcess
  linkType: number | undefined
  /** The beginning of a record that is not whole yet. */
  rest: Buffer
}

export class CapSource implements LiveSource {
  readonly inputs: InputSummary[]
  readonly annex: CaptureAnnex = { tlsKeyLogs: [], names: [] }
  readonly shortage = undefined
  readonly #summary: InputSummary = { name: 'live', format: 'cap', packets: 0, bytes: 0, late: 0, lossUnknown: true }
  readonly #options: RingSourceOptions
  readonly #onRestart: (sentence: string) => void
  readonly #links: LinkNames
  readonly #interfaces: LiveInterfaces
  readonly #children = new Map<number, Child>()
  #filling = createArena()
  #given = createArena()
  #fillAt = 0
  #ready: (() => void) | undefined
  readonly #clock = new ClockWatch()
  #caughtUpMicros = 0
  #frameNumber = 0
  #isStopping = false
  #isClosed = false
  #refusal: string | undefined

  /** `onRestart` hears of each child that died, in a sentence. */
  constructor(options: RingSourceOptions, onRestart: (sentence: string) => void) {
    this.#options = options
    this.#links = options.links
    this.#onRestart = onRestart
    this.inputs = [this.#summary]
    this.#interfaces = new LiveInterfaces({
      nameOf: (index) => this.#links.linkName(index),
      snapLen: options.snapLen ?? 0,
      ...(options.interfaces === undefined ? {} : { chosen: new Set(options.interfaces) }),
    })
    this.#links.refreshLinks()
    this.#startChildren()
  }

  get interfaces(): readonly CaptureInterface[] {
    return this.#interfaces.list
  }

  get caughtUpMicros(): number {
    return this.#caughtUpMicros
  }

  /** Resolves when every child captures or has been refused. @throws OperatorError `capture-right` when all were refused */
  async opened(): Promise<void> {
    const until = performance.now() + FIRST_PACKET_WAIT_MS
    while (performance.now() < until && [...this.#children.values()].some((child) => child.linkType === undefined)) {
      await new Promise((resolve) => setTimeout(resolve, 20))
    }
    if ([...this.#children.values()].some((child) => child.linkType !== undefined)) return
    const reason = this.#refusal ?? 'no interface could be opened'
    throw new OperatorError(
      'capture-right',
      `npm cap cannot capture (${reason}): run with sudo, or install libpcap and the package cap`,
    )
  }

  takeClockStep(): number {
    return this.#clock.take()
  }

  /** What came; how many were dropped is not known. */
  statistics(): { received: number; dropped: number; freezes: number } {
    return { received: this.#summary.packets, dropped: 0, freezes: 0 }
  }

  async next(): Promise<PacketBatch | undefined> {
    if (this.#links.refreshLinks()) {
      this.#interfaces.forgetIndices()
      this.#startChildren()
    }
    if (this.#filling.count === 0 && !this.#isStopping && !this.#isClosed) await this.#wait()
    if (this.#isClosed) return undefined
    const batch = this.#filling
    const isStepping = this.#clock.isAhead()
    if (batch.count === 0) {
      if (this.#isStopping) return undefined
      const before = Date.now() * 1000 - DELIVERY_MICROS
      if (!isStepping) this.#caughtUpMicros = Math.max(this.#caughtUpMicros, before)
      else if (this.#clock.reached(undefined)) this.#startAnew(before)
      return batch
    }
    if (isStepping && this.#clock.reached(batch.timeMicros[0]!)) this.#startAnew(batch.timeMicros[0]!)
    this.#filling = this.#given
    this.#given = batch
    this.#filling.count = 0
    this.#fillAt = 0
    for (const child of this.#children.values()) {
      this.#take(child, NOTHING)
      child.process.stdout?.resume()
    }
    this.#summary.firstMicros ??= batch.timeMicros[0]!
    this.#summary.lastMicros = batch.timeMicros[batch.count - 1]!
    this.#summary.packets += batch.count
    for (let row = 0; row < batch.count; row++) this.#summary.bytes += batch.wireLen[row]!
    return batch
  }

  stop(): void {
    this.#isStopping = true
    this.#wake()
  }

  async close(): Promise<void> {
    this.#isClosed = true
    for (const child of this.#children.values()) child.process.kill('SIGKILL')
    this.#children.clear()
    this.#wake()
  }

  /** The clock was set: what was known of time holds no more. */
  #startAnew(timeMicros: number): void {
    this.#caughtUpMicros = timeMicros
    delete this.#summary.firstMicros
    delete this.#summary.lastMicros
  }

  #startChildren(): void {
    const present = new Set(this.#links.linkIndices())
    for (const [index, child] of this.#children) {
      if (present.has(index)) continue
      this.#children.delete(index)
      child.process.kill('SIGKILL')
    }
    for (const index of present) {
      const name = this.#links.linkName(index)
      if (name === undefined || this.#children.has(index) || this.#interfaces.idOf(index) < 0) continue
      this.#start(index, name)
    }
  }

  #start(interfaceIndex: number, name: string): void {
    const device = this.#links.deviceName?.(interfaceIndex) ?? name
    const spawned = spawn(process.execPath, [...process.execArgv, CHILD_FILE, device, this.#options.expression ?? ''], {
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const child: Child = { name, interfaceIndex, process: spawned, linkType: undefined, rest: NOTHING }
    this.#children.set(interfaceIndex, child)
    spawned.stdout!.on('data', (data: Buffer) => this.#take(child, data))
    spawned.stderr!.setEncoding('utf8').on('data', (text: string) => {
      this.#refusal = text.trim().split('\n')[0]
    })
    spawned.once('error', () => {})
    spawned.once('close', () => {
      if (this.#isClosed || this.#children.get(interfaceIndex) !== child) return
      if (child.linkType !== undefined)
        this.#onRestart(`the capture on ${name} ended and is started again; packets in between are lost`)
      setTimeout(() => {
        if (this.#isClosed || this.#children.get(interfaceIndex) !== child) return
        this.#children.delete(interfaceIndex)
        if (this.#links.linkName(interfaceIndex) === name) this.#start(interfaceIndex, name)
      }, RESTART_MS).unref()
    })
  }

  /** Whole records become rows; what does not fit waits in the pipe. */
  #take(child: Child, data: Buffer): void {
    let bytes = child.rest.length === 0 ? data : Buffer.concat([child.rest, data])
    const batch = this.#filling
    while (bytes.length >= CAP_RECORD_HEAD_LEN) {
      const capturedLen = bytes.readUInt32LE(0)
      const end = CAP_RECORD_HEAD_LEN + capturedLen
      if (bytes.length < end) break
      if (child.linkType === undefined) this.#learnLinkType(child, bytes.readUInt32LE(4))
      else {
        if (batch.count === batch.startAt.length || this.#fillAt + capturedLen > ARENA_LEN) {
          child.process.stdout?.pause()
          break
        }
        this.#row(batch, child, bytes, capturedLen)
      }
      bytes = bytes.subarray(end)
    }
    child.rest = Buffer.from(bytes)
    if (batch.count > 0) this.#wake()
  }

  /** Known only now; the child says it before its first packet. */
  #learnLinkType(child: Child, linkType: number): void {
    child.linkType = linkType
    const entry = this.#interfaces.list[this.#interfaces.idOf(child.interfaceIndex)]
    if (entry !== undefined) (entry as { linkType: number }).linkType = linkType
  }

  #row(batch: PacketBatch, child: Child, bytes: Buffer, capturedLen: number): void {
    const row = batch.count++
    const keptLen = this.#options.snapLen ? Math.min(this.#options.snapLen, capturedLen) : capturedLen
    batch.bytes.set(bytes.subarray(CAP_RECORD_HEAD_LEN, CAP_RECORD_HEAD_LEN + keptLen), this.#fillAt)
    batch.timeMicros[row] = bytes.readDoubleLE(8)
    batch.startAt[row] = this.#fillAt
    batch.capturedLen[row] = keptLen
    batch.wireLen[row] = bytes.readUInt32LE(4)
    batch.linkType[row] = child.linkType!
    batch.interfaceId[row] = this.#interfaces.idOf(child.interfaceIndex)
    batch.direction[row] = 0
    batch.frameNumber[row] = ++this.#frameNumber
    this.#fillAt += keptLen
  }

  #wait(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#wake(), this.#options.tickMillis ?? 100)
      this.#ready = () => {
        clearTimeout(timer)
        resolve()
      }
    })
  }

  #wake(): void {
    const ready = this.#ready
    this.#ready = undefined
    ready?.()
  }
}

function createArena(): PacketBatch {
  const batch = createPacketBatch()
  batch.bytes = new Uint8Array(ARENA_LEN)
  return batch
}
