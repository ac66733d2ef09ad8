// Captures one interface with npm cap, in a process of its own: that package ends the whole process when the interface goes
// down. Writes records to standard output: captured length, wire length (32 bits each), microseconds since 1970 (a double),
// the bytes; the first record is empty and bears the link type as its wire length. Little-endian.
// Arguments: interface, filter expression.
import { writeSync } from 'node:fs'
import { createRequire } from 'node:module'
import { CAP_RECORD_HEAD_LEN } from './cap-records.ts'

/** The face of npm cap; it has no types. */
interface Capture {
  open(device: string, filter: string, bufferLen: number, buffer: Buffer): string
  setMinBytes?(count: number): void
  on(event: 'packet', listener: (len: number, isCut: boolean) => void): void
}

const LINK_TYPES: Readonly<Record<string, number>> = Object.freeze({
  NULL: 0,
  ETHERNET: 1,
  RAW: 101,
  LINKTYPE_LINUX_SLL: 113,
  IEEE802_11_RADIO: 127,
})
/** A slot of npm cap's own buffer is 64 KiB, so this holds some 500 packets. */
const KERNEL_BUFFER_LEN = 32 << 20
const PACKET_LEN = 65_535
const OUT_LEN = 1 << 20
const EXIT_REFUSED = 3
const MAX_CLOCK_ERROR_MILLIS = 50

const [device = '', filter = ''] = process.argv.slice(2)
// Kept here for the life of the process: npm cap writes into it without holding it.
const packet = Buffer.alloc(PACKET_LEN)
const out = Buffer.alloc(OUT_LEN)
let outLen = 0
let originMillis = performance.timeOrigin

try {
  const { Cap } = createRequire(import.meta.url)('cap') as { Cap: new () => Capture }
  const capture = new Cap()
  const linkType = LINK_TYPES[capture.open(device, filter, KERNEL_BUFFER_LEN, packet)]
  if (linkType === undefined) throw new Error('its link type is unknown')
  capture.setMinBytes?.(0)
  record(0, linkType, 0)
  flush()
  capture.on('packet', (len, isCut) => {
    // npm cap gives no time: ours is a little late, never early.
    record(len, isCut ? PACKET_LEN + 1 : len, nowMicros())
    if (outLen > OUT_LEN / 2) flush()
    else if (outLen === CAP_RECORD_HEAD_LEN + len) setImmediate(flush)
  })
} catch (error) {
  process.stderr.write(`${(error as Error).message}\n`)
  process.exitCode = EXIT_REFUSED
}

/** The finer clock, as long as the one that people set agrees with it. */
function nowMicros(): number {
  const wall = Date.now()
  if (Math.abs(wall - originMillis - performance.now()) > MAX_CLOCK_ERROR_MILLIS)
    originMillis = wall - performance.now()
  return Math.floor((originMillis + performance.now()) * 1000)
}

function record(len: number, wireLen: number, micros: number): void {
  out.writeUInt32LE(len, outLen)
  out.writeUInt32LE(wireLen, outLen + 4)
  out.writeDoubleLE(micros, outLen + 8)
  packet.copy(out, outLen + CAP_RECORD_HEAD_LEN, 0, len)
  outLen += CAP_RECORD_HEAD_LEN + len
}

/** Waits for a reader that is behind: the kernel's buffer is the better place to be full. */
function flush(): void {
  for (let from = 0; from < outLen; ) {
    try {
      from += writeSync(1, out, from, outLen - from)
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException
      if (code === 'EPIPE') process.exit(0)
      if (code !== 'EAGAIN') throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1)
    }
  }
  outLen = 0
}
