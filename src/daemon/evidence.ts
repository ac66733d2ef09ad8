// Evidence: for each new finding a pcapng with its packets, some context and the network as it was. Files are 0600 in a 0700
// directory, secrets are blanked, old files go. Nothing here ever stops the capture.
import { chmodSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { type Clocks, PLATFORM_CLOCKS } from '../capture/clock-watch.ts'
import { PcapngWriter } from '../capture/pcapng-writer.ts'
import type { CaptureInterface } from '../model/capture-interface.ts'
import type { DecodedBatch } from '../model/decoded-batch.ts'
import type { Finding } from '../model/finding.ts'
import type { NetworkContext } from '../model/network-context.ts'
import { OperatorError } from '../model/operator-error.ts'
import { createPacketBatch, type PacketBatch } from '../model/packet-batch.ts'
import { systemErrorText } from '../text/system-error.ts'
import { blankPayload, blankQuoted, isTlsRecord } from './blank-payload.ts'
import { evidenceName, newestEvidenceMicros, trimEvidence } from './evidence-files.ts'
import { type HistoryHalf, PAYLOAD_OTHER, PAYLOAD_QUOTED, PAYLOAD_TCP, PacketHistory } from './packet-history.ts'
import { createRetentionClock } from './retention-clock.ts'

/** What a reload may change. */
export interface EvidenceLimits {
  readonly seconds: number
  readonly blank: boolean
  readonly maxAgeMicros: number
  readonly maxBytes: number
}

export interface EvidenceOptions extends EvidenceLimits {
  readonly directory: string
  readonly memoryLen: number
}

/** A finding's file is written this long after it, so that the answer is in it. */
const AFTERMATH_MICROS = 1_000_000
/** Packets before and after one that shows the finding. */
const CONTEXT_MICROS = 1_000_000
const MAX_FILE_PACKETS = 512
/** Findings that wait; more at once are a flood, of which these are example enough. */
const MAX_WAITING = 64
/** Findings remembered as written. */
const MAX_WRITTEN = 10_000
/** Changes of the network in one file; an interface that flaps makes many, and the newest matter. */
const MAX_NETWORKS = 16
/** A file takes about a millisecond of the capturing thread. */
const MIN_WRITE_GAP_MICROS = 100_000
const RETENTION_MICROS = 60_000_000
const BLANK = 0x78
const MARK = 'tunnelscope finding '
const DNS_PORT = 53

export class EvidenceKeeper {
  readonly #history: PacketHistory
  readonly #directory: string
  readonly #application: string
  readonly #onTrouble: (sentence: string) => void
  #limits: EvidenceLimits
  readonly #waiting = new Map<string, { finding: Finding; dueMicros: number }>()
  /** By file name, how many of the packets that show the finding are in it. */
  readonly #written = new Map<string, number>()
  /** The network and its changes, oldest first. */
  #networks: NetworkContext[] = []
  #nextWriteMicros = 0
  #nextTrimMicros = 0
  #inTrouble = false
  readonly #retentionMicros: () => number

  /** `onTrouble` hears the first failure after a success. Never throws. */
  constructor(
    options: EvidenceOptions,
    application: string,
    onTrouble: (sentence: string) => void,
    clocks: Clocks = PLATFORM_CLOCKS,
  ) {
    this.#history = new PacketHistory(options.memoryLen)
    this.#directory = options.directory
    this.#application = application
    this.#onTrouble = onTrouble
    this.#limits = options
    this.#try(() => {
      mkdirSync(options.directory, { recursive: true, mode: 0o700 })
      // It may have been made by somebody more generous.
      chmodSync(options.directory, 0o700)
    })
    this.#retentionMicros = createRetentionClock(newestEvidenceMicros(options.directory), clocks)
  }

  set limits(limits: EvidenceLimits) {
    this.#limits = limits
    this.#nextTrimMicros = 0
  }

  /** Remembers a change of the network, told before the packets that follow it. */
  noteNetwork(context: NetworkContext): void {
    if (this.#networks.length === MAX_NETWORKS) this.#networks.shift()
    this.#networks.push(context)
  }

  /** Remembers the packets of a batch. */
  add(batch: PacketBatch, out: DecodedBatch): void {
    this.#history.add(batch, out)
  }

  /** Findings that are new or have grown. */
  note(findings: readonly Finding[], nowMicros: number): void {
    for (const finding of findings) {
      if (finding.evidence.length === 0) continue
      const name = evidenceName(finding)
      if ((this.#written.get(name) ?? 0) >= finding.evidence.length) continue
      const waiting = this.#waiting.get(name)
      if (waiting !== undefined) waiting.finding = finding
      else if (this.#waiting.size < MAX_WAITING)
        this.#waiting.set(name, { finding, dueMicros: nowMicros + AFTERMATH_MICROS })
    }
  }

  /** Writes what is due, one file at a time. `nowMicros`: everything before it has been seen. */
  tick(nowMicros: number, interfaces: readonly CaptureInterface[]): void {
    if (nowMicros >= this.#nextTrimMicros) {
      this.#nextTrimMicros = nowMicros + RETENTION_MICROS
      this.#try(() => trimEvidence(this.#directory, this.#limits, this.#retentionMicros()))
    }
    if (nowMicros < this.#nextWriteMicros) return
    for (const [name, { finding, dueMicros }] of this.#waiting) {
      if (dueMicros > nowMicros) return
      this.#nextWriteMicros = nowMicros + MIN_WRITE_GAP_MICROS
      this.#finish(name, finding, interfaces)
      return
    }
  }

  /** The clock was set, so nothing that waits for a time can: it is written now. */
  startAnew(interfaces: readonly CaptureInterface[]): void {
    this.close(interfaces)
    this.#networks = []
    this.#nextWriteMicros = 0
    this.#nextTrimMicros = 0
  }

  /** Writes everything that waits. */
  close(interfaces: readonly CaptureInterface[]): void {
    for (const [name, { finding }] of this.#waiting) this.#finish(name, finding, interfaces)
  }

  #finish(name: string, finding: Finding, interfaces: readonly CaptureInterface[]): void {
    this.#waiting.delete(name)
    this.#try(() => this.#write(name, finding, interfaces))
  }

  #write(name: string, finding: Finding, interfaces: readonly CaptureInterface[]): void {
    const before = this.#written.get(name) ?? 0
    if (before === 0 && this.#written.size >= MAX_WRITTEN) return
    const frames = new Set(finding.evidence.map(({ frame }) => frame))
    const rows = choose([this.#history.older(), this.#history.newer()], frames, this.#limits.seconds)
    const held = new Set(rows.map(frameOf))
    const shown = finding.evidence.filter(({ frame }) => held.has(frame)).length
    this.#written.set(name, Math.max(before, finding.evidence.length))
    // One that has grown is written again as long as nothing of its file is gone from memory.
    if (shown === 0 || finding.evidence.slice(0, before).some(({ frame }) => !held.has(frame))) return
    const packets = copyRows(rows)
    if (this.#limits.blank) blankAll(packets, rows)
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 })
    const path = join(this.#directory, name)
    const fresh = `${path}.new`
    const [network, ...changes] = this.#networksFrom(packets.timeMicros[0]!)
    const writer = new PcapngWriter(fresh, {
      application: this.#application,
      ...(network !== undefined && { context: network }),
      wholeComment: fileComment(finding),
    })
    try {
      for (let row = 0; row < packets.count; row++) {
        while (changes.length > 0 && changes[0]!.timeMicros <= packets.timeMicros[row]!)
          writer.noteContext(changes.shift()!)
        if (frames.has(packets.frameNumber[row]!)) writer.noteComment(packetComment(finding))
        writer.write(packets, interfaces, row, row + 1)
      }
      for (const change of changes) writer.noteContext(change)
      writer.end()
      renameSync(fresh, path)
      this.#inTrouble = false
    } catch (error) {
      writer.abandon()
      rmSync(fresh, { force: true })
      throw error
    }
  }

  /** The network some seconds before a packet, so that it shows what was there and went, and its changes since. */
  #networksFrom(micros: number): NetworkContext[] {
    const fromMicros = micros - this.#limits.seconds * 1_000_000
    const inForce = this.#networks.findLastIndex(({ timeMicros }) => timeMicros <= fromMicros)
    return this.#networks.slice(Math.max(0, inForce))
  }

  #try(action: () => void): void {
    try {
      action()
    } catch (error) {
      const message = error instanceof OperatorError ? error.message : `${this.#directory}: ${systemErrorText(error)}`
      if (!this.#inTrouble) this.#onTrouble(`no evidence is kept: ${message}`)
      this.#inTrouble = true
    }
  }
}

interface HistoryRow {
  readonly half: HistoryHalf
  readonly row: number
}

/** The packets that show it, and those close to them in time; of too many, the closest. In order of time. */
function choose(halves: readonly HistoryHalf[], frames: ReadonlySet<number>, seconds: number): HistoryRow[] {
  const shown: HistoryRow[] = []
  const newest = newestMicros(halves)
  for (const half of halves) {
    for (let row = 0; row < half.batch.count; row++)
      if (frames.has(half.batch.frameNumber[row]!)) shown.push({ half, row })
  }
  if (shown.length === 0) return []
  const times = shown.map(({ half, row }) => half.batch.timeMicros[row]!)
  const near: { at: HistoryRow; distance: number }[] = []
  for (const half of halves) {
    for (let row = 0; row < half.batch.count; row++) {
      const time = half.batch.timeMicros[row]!
      if (newest - time > seconds * 1_000_000) continue
      let distance = Number.POSITIVE_INFINITY
      for (const one of times) distance = Math.min(distance, Math.abs(one - time))
      if (distance <= CONTEXT_MICROS)
        near.push({ at: { half, row }, distance: frames.has(half.batch.frameNumber[row]!) ? -1 : distance })
    }
  }
  near.sort((a, b) => a.distance - b.distance)
  return near
    .slice(0, MAX_FILE_PACKETS)
    .map(({ at }) => at)
    .sort((a, b) => frameOf(a) - frameOf(b))
}

function frameOf({ half, row }: HistoryRow): number {
  return half.batch.frameNumber[row]!
}

function newestMicros(halves: readonly HistoryHalf[]): number {
  let newest = 0
  for (const { batch } of halves) if (batch.count > 0) newest = Math.max(newest, batch.timeMicros[batch.count - 1]!)
  return newest
}

/** A batch of their own, so that blanking touches copies. */
function copyRows(rows: readonly HistoryRow[]): PacketBatch {
  const to = createPacketBatch(rows.length)
  to.bytes = new Uint8Array(rows.reduce((sum, { half, row }) => sum + half.batch.capturedLen[row]!, 0))
  let at = 0
  for (const { half, row } of rows) {
    const from = half.batch
    const len = from.capturedLen[row]!
    to.bytes.set(from.bytes.subarray(from.startAt[row]!, from.startAt[row]! + len), at)
    const slot = to.count++
    to.startAt[slot] = at
    to.capturedLen[slot] = len
    to.timeMicros[slot] = from.timeMicros[row]!
    to.wireLen[slot] = from.wireLen[row]!
    to.linkType[slot] = from.linkType[row]!
    to.interfaceId[slot] = from.interfaceId[row]!
    to.direction[slot] = from.direction[row]!
    to.frameNumber[slot] = from.frameNumber[row]!
    at += len
  }
  return to
}

function blankAll(packets: PacketBatch, rows: readonly HistoryRow[]): void {
  const { bytes } = packets
  const spans = rows.map(({ half, row }, slot) => {
    const startAt = packets.startAt[slot]!
    const endAt = startAt + packets.capturedLen[slot]!
    const here = (at: number) => Math.min(endAt, startAt + at - half.batch.startAt[row]!)
    return { kind: half.payload[row]!, at: here(half.payloadAt[row]!), ipAt: here(half.ipAt[row]!), endAt }
  })
  // What follows a TLS record in the same direction is as unreadable; before it may stand a proxy's CONNECT.
  const encrypted = new Set<string>()
  for (const { kind, at, ipAt, endAt } of spans) {
    if (kind === PAYLOAD_QUOTED) blankQuoted(bytes, at, endAt)
    else if (kind === PAYLOAD_OTHER) blankOther(bytes, ipAt, at, endAt)
    else if (kind === PAYLOAD_TCP && at < endAt) {
      const key = directionKey(bytes, ipAt)
      if (isTlsRecord(bytes, at, endAt)) encrypted.add(key)
      else blankPayload(bytes, at, endAt, encrypted.has(key) || key.includes(`|${DNS_PORT}|`))
    }
  }
}

/** Fragments of UDP stay (a DNS answer in pieces); anything else that was not understood keeps its IP header only. */
function blankOther(bytes: Uint8Array, ipAt: number, at: number, endAt: number): void {
  const version = bytes[ipAt]! >> 4
  const protocol = version === 4 ? bytes[ipAt + 9] : version === 6 ? bytes[ipAt + 6] : undefined
  // 44: an IPv6 fragment, whose own header names what is in it.
  const inner = protocol === 44 ? bytes[ipAt + 40] : protocol
  if (inner === 17 || inner === 2 || inner === 58) return
  const from = at > ipAt ? at : Math.min(endAt, ipAt + 40)
  bytes.fill(BLANK, from, endAt)
}

/** Addresses and ports of an unencapsulated TCP packet, as text. */
function directionKey(bytes: Uint8Array, ipAt: number): string {
  const isV4 = bytes[ipAt]! >> 4 === 4
  const headerLen = isV4 ? (bytes[ipAt]! & 0x0f) * 4 : 40
  const [addressesAt, addressesLen] = isV4 ? [ipAt + 12, 8] : [ipAt + 8, 32]
  const addresses = Buffer.from(bytes.buffer, bytes.byteOffset + addressesAt, addressesLen).toString('hex')
  const port = (at: number) => (bytes[at]! << 8) | bytes[at + 1]!
  return `${addresses}|${port(ipAt + headerLen)}|${port(ipAt + headerLen + 2)}|`
}

/** A Wireshark display filter that selects exactly the packets that show the finding, in its file. */
export function evidenceFilter({ id }: Pick<Finding, 'id'>): string {
  return `frame.comment contains "${MARK}${id} ("`
}

function packetComment({ id, severity, confidence, summary }: Finding): string {
  return `${MARK}${id} (${severity}, ${confidence}): ${summary}`
}

function fileComment(finding: Finding): string {
  return `tunnelscope-finding ${JSON.stringify(finding)}`
}
