// Live capture on all interfaces: the kernel's ring as a CaptureSource. Batches are read in place; an empty batch is the
// tick of an idle network.
import type { CaptureInterface, InputSummary } from '../model/capture-interface.ts'
import { createPacketBatch, type PacketBatch } from '../model/packet-batch.ts'
import { ClockWatch } from './clock-watch.ts'
import { buildCaptureFilter, type FilterOptions } from './filter.ts'
import { LiveInterfaces } from './interfaces.ts'
import { compileFilterExpression, type NativeRing, openPacketRing, type RingStatistics } from './native-addon.ts'
import { RingWalk } from './ring-walk.ts'
import type { CaptureAnnex, LiveSource } from './source.ts'

/** At 330,000 small packets a second this is a second and a half of a busy reader. */
export const DEFAULT_RING_LEN = 64 << 20

/**
 * Small blocks: each tick of the timeout uses up a whole one however few packets it holds, so 512 of them bridge two
 * seconds. A frame of 64 KiB (segmentation offload, loopback) must fit.
 */
const BLOCK_LEN = 128 << 10
const BLOCK_TIMEOUT_MILLIS = 4

/** Packets are in our hands at the latest this long after their time stamp, when nobody keeps us from reading. */
const DELIVERY_MICROS = 40_000

/** While packets flow the ring is looked at in this rhythm; a packet after silence wakes us at once. */
const RHYTHM_MILLIS = 2

/** Longest time without a turn of the event loop while packets pour in: messages to this thread wait as long. */
const TURN_MILLIS = 5

export interface RingSourceOptions {
  /** Who knows the names of interfaces (ContextWatch). */
  links: LinkNames
  /** Names chosen with -i; absent = all. */
  interfaces?: readonly string[]
  /** tcpdump's filter language. */
  expression?: string
  /** Bytes kept of a packet (-s). */
  snapLen?: number
  ringLen?: number
  /** A packet socket opened before the rights were dropped. */
  socket?: number
  /** An empty batch comes after this time without packets; 100 unless given. */
  tickMillis?: number
}

/** What the source must know about links. */
export interface LinkNames {
  /**
   * Takes in what the kernel has told (`wait`: and waits for a dump that is under way); true when a link came, went or
   * changed its name since the last call.
   */
  refreshLinks(wait?: boolean): boolean
  linkName(interfaceIndex: number): string | undefined
  /** What libpcap calls the link, where that is not its name. */
  deviceName?(interfaceIndex: number): string | undefined
  /** Indices of all links there are. */
  linkIndices(): Iterable<number>
}

export class RingSource implements LiveSource {
  readonly inputs: InputSummary[]
  readonly annex: CaptureAnnex = { tlsKeyLogs: [], names: [] }
  readonly #ring: NativeRing
  readonly #walk: RingWalk
  readonly #interfaces: LiveInterfaces
  readonly #links: LinkNames
  readonly #batch: PacketBatch
  readonly #summary: InputSummary
  /** Used again and again: a timer for each sleep would be most of the cost of a wake-up. */
  readonly #tick: NodeJS.Timeout
  readonly #rhythm: NodeJS.Timeout
  readonly #askedRingLen: number
  #ready: (() => void) | undefined
  readonly #clock = new ClockWatch()
  #caughtUpMicros = 0
  #lastTurn = performance.now()
  /** The last look at the ring found packets. */
  #flowing = false
  #stopMicros = Number.POSITIVE_INFINITY
  #closed = false
  #lastStatistics: RingStatistics = { received: 0, dropped: 0, freezes: 0 }

  /** @throws OperatorError as openPacketRing and compileFilterExpression do */
  constructor(options: RingSourceOptions) {
    const filter: FilterOptions = {}
    if (options.snapLen !== undefined && options.snapLen > 0) filter.snapLen = options.snapLen
    if (options.expression !== undefined && options.expression.trim() !== '') {
      filter.expression = compileFilterExpression(options.expression)
    }
    this.#links = options.links
    this.#askedRingLen = options.ringLen ?? DEFAULT_RING_LEN
    this.#interfaces = new LiveInterfaces({
      nameOf: (index) => this.#nameOf(index),
      snapLen: filter.snapLen ?? 0,
      ...(options.interfaces === undefined ? {} : { chosen: new Set(options.interfaces) }),
    })
    const blockLen = Math.min(BLOCK_LEN, this.#askedRingLen)
    this.#ring = openPacketRing(
      {
        ringLen: this.#askedRingLen,
        blockLen,
        blockTimeoutMillis: BLOCK_TIMEOUT_MILLIS,
        filter: buildCaptureFilter(filter),
        lockFilter: true,
        ...(options.socket === undefined ? {} : { socket: options.socket }),
      },
      () => this.#wake(),
    )
    this.#walk = new RingWalk(this.#ring.memory, this.#ring.blockLen, this.#ring.blockCount, this.#interfaces)
    this.#batch = createPacketBatch()
    this.#batch.release = () => this.#walk.release()
    this.#summary = { name: 'live', format: 'ring', packets: 0, bytes: 0, late: 0 }
    this.inputs = [this.#summary]
    this.#links.refreshLinks()
    this.#learnLinks()
    this.#tick = setTimeout(() => this.#wake(), options.tickMillis ?? 100)
    this.#rhythm = setTimeout(() => this.#wake(), RHYTHM_MILLIS)
  }

  get interfaces(): readonly CaptureInterface[] {
    return this.#interfaces.list
  }

  /** Bytes of the ring; smaller than asked for when the kernel was short of memory. */
  get ringLen(): number {
    return this.#ring.blockLen * this.#ring.blockCount
  }

  /** One sentence when the ring is smaller than it should be. */
  get shortage(): string | undefined {
    if (this.ringLen >= this.#askedRingLen) return undefined
    const mib = (len: number) => Math.round(len / (1 << 20))
    return `memory was short: the ring holds ${mib(this.ringLen)} MiB instead of ${mib(this.#askedRingLen)} MiB, so packets may be dropped sooner`
  }

  /** Every packet with an earlier time has been delivered: deadlines before it are due. Microseconds since 1970. */
  get caughtUpMicros(): number {
    return this.#caughtUpMicros
  }

  takeClockStep(): number {
    return this.#clock.take()
  }

  /** The kernel's counters since the start; also valid after close(). */
  statistics(): RingStatistics {
    if (!this.#closed) this.#lastStatistics = this.#ring.statistics()
    this.#summary.dropped = this.#lastStatistics.dropped
    return this.#lastStatistics
  }

  /**
   * The next packets; a batch of 0 rows when none came within the tick; undefined after stop() has run dry or after
   * close(). Valid until its release() or the next next().
   */
  async next(): Promise<PacketBatch | undefined> {
    if (this.#closed) return undefined
    this.#walk.release()
    if (performance.now() - this.#lastTurn > TURN_MILLIS) await this.#turn()
    if (this.#fill()) return this.#batch
    if (this.#flowing || this.#stopMicros !== Number.POSITIVE_INFINITY) {
      await this.#sleep(this.#rhythm)
      if (this.#fill()) return this.#batch
    }
    if (this.#stopMicros === Number.POSITIVE_INFINITY && !this.#closed) {
      this.#flowing = false
      this.#ring.arm()
      await this.#sleep(this.#tick)
      if (this.#fill()) return this.#batch
    }
    if (this.#closed) return undefined
    if (this.#caughtUpMicros >= this.#stopMicros) return undefined
    return this.#batch
  }

  /** Ends the capture: what arrived up to now is still delivered, then next() gives undefined. */
  stop(): void {
    this.#stopMicros = Math.min(this.#stopMicros, nowMicros())
    this.#wake()
  }

  /** Gives the ring back; the memory of batches is gone. Safe while a next() waits. */
  async close(): Promise<void> {
    if (this.#closed) return
    this.statistics()
    this.#closed = true
    this.#batch.count = 0
    this.#batch.bytes = new Uint8Array(0)
    this.#batch.release = () => {}
    clearTimeout(this.#tick)
    clearTimeout(this.#rhythm)
    this.#ring.close()
    this.#wake()
  }

  /** True when there is something to hand on. */
  #fill(): boolean {
    if (this.#closed) return false
    if (this.#links.refreshLinks()) this.#learnLinks()
    const before = nowMicros()
    const batch = this.#batch
    this.#walk.fill(batch)
    const { count } = batch
    const isStepping = this.#clock.isAhead()
    if (count === 0) {
      this.#walk.release()
      if (!isStepping) this.#caughtUpMicros = Math.max(this.#caughtUpMicros, before - DELIVERY_MICROS)
      else if (this.#clock.reached(undefined)) this.#startAnew(nowMicros() - DELIVERY_MICROS)
      return false
    }
    const first = batch.timeMicros[0]!
    if (isStepping && this.#clock.reached(first)) this.#startAnew(first)
    const last = batch.timeMicros[count - 1]!
    // A stop under full load: what was sent after it is not waited for.
    if (first > this.#stopMicros) {
      batch.count = 0
      this.#walk.release()
      this.#caughtUpMicros = first
      return false
    }
    this.#flowing = true
    this.#summary.firstMicros ??= first
    this.#summary.lastMicros = last
    this.#summary.packets += count
    for (let row = 0; row < count; row++) this.#summary.bytes += batch.wireLen[row]!
    return true
  }

  /** The clock was set: what was known of time holds no more. */
  #startAnew(timeMicros: number): void {
    this.#caughtUpMicros = timeMicros
    delete this.#summary.firstMicros
    delete this.#summary.lastMicros
    if (this.#stopMicros !== Number.POSITIVE_INFINITY) this.#stopMicros = timeMicros
  }

  /** Every link has its entry before its first packet: a tunnel is watched also while it is silent. */
  #learnLinks(): void {
    this.#interfaces.forgetIndices()
    for (const index of this.#links.linkIndices()) this.#interfaces.idOf(index)
  }

  #nameOf(interfaceIndex: number): string | undefined {
    const name = this.#links.linkName(interfaceIndex)
    if (name !== undefined) return name
    // Its announcement is behind a dump of the tables that is under way.
    this.#links.refreshLinks(true)
    return this.#links.linkName(interfaceIndex)
  }

  /** Until the timer, the ring, stop() or close() wakes us; a timer of an earlier sleep may do so too soon. */
  #sleep(timer: NodeJS.Timeout): Promise<void> {
    return new Promise((resolve) => {
      this.#ready = resolve
      timer.refresh()
    })
  }

  #turn(): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(() => {
        this.#lastTurn = performance.now()
        resolve()
      })
    })
  }

  #wake(): void {
    const ready = this.#ready
    if (ready === undefined) return
    this.#ready = undefined
    this.#lastTurn = performance.now()
    ready()
  }
}

/** The clock of the kernel's time stamps. */
function nowMicros(): number {
  return Date.now() * 1000
}
