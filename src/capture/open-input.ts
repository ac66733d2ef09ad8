// Opens one input: recognises what it holds by its first bytes, never by its name.
import type { InputSummary } from '../model/capture-interface.ts'
import { OperatorError } from '../model/operator-error.ts'
import { createPacketBatch, type PacketBatch } from '../model/packet-batch.ts'
import { openByteInput } from './byte-input.ts'
import { ByteWindow } from './byte-window.ts'
import { decompress } from './compressed-input.ts'
import { InputReader } from './input-reader.ts'
import { isPcapMagic, PCAP_HEADER_LEN, PcapFile } from './pcap-file.ts'
import { PCAPNG_MAGIC, PcapngFile } from './pcapng-file.ts'
import type { RecordFormat, RunInput } from './record-format.ts'

/** Formats we know by sight and do not read, by how their first bytes look in hexadecimal, and what to do about them. */
const FOREIGN: readonly (readonly [magic: string, advice: string])[] = Object.freeze([
  ['736e6f6f70000000', 'a snoop capture; convert it with `editcap -F pcapng`'],
  ['fd377a585a00', 'compressed with xz; unpack it with `xz -d`'],
  ['425a68', 'compressed with bzip2; unpack it with `bzip2 -d`'],
  ['04224d18', 'compressed with lz4; unpack it with `lz4 -d`'],
  ['504b0304', 'a zip archive; unpack it'],
])

/** The shortest record of a packet: pcap's header, pcapng's Simple Packet Block without data. */
const MIN_RECORD_LEN = 16
const MIN_ROWS = 256

/**
 * Opens the path (`-` is standard input) and stands before its first record. `summary` is this input's; its format is
 * filled in. A batch has at most `rows`, and no more than a file of that size can have.
 * @throws OperatorError what openByteInput throws, `input-empty`, `input-not-capture`.
 */
export async function openInput(
  input: RunInput,
  summary: InputSummary,
  rows: number,
  chunkLen: number,
): Promise<InputReader> {
  const bytes = await openByteInput(input.inputName)
  let window = new ByteWindow(bytes, chunkLen)
  try {
    await holdAtLeast(window, 8)
    const unpacked = decompress(window)
    if (unpacked !== undefined) {
      window = new ByteWindow(unpacked.input, chunkLen)
      summary.format = unpacked.name
      await holdAtLeast(window, 8)
    }
    const format = await recognise(window, input, unpacked?.name)
    summary.format = unpacked === undefined ? format.name : `${format.name}, ${unpacked.name}`
    const most = unpacked === undefined && bytes.byteLen !== undefined ? rowsWithin(bytes.byteLen) : rows
    return new InputReader(window, format, summary, createPacketBatch(Math.min(rows, most)), input.run.filter)
  } catch (error) {
    window.close()
    throw error
  }
}

/** Packets that so many bytes may hold; some more for a file that is still growing. */
function rowsWithin(byteLen: number): number {
  return Math.max(MIN_ROWS, Math.ceil(byteLen / MIN_RECORD_LEN))
}

async function recognise(window: ByteWindow, input: RunInput, packing: string | undefined): Promise<RecordFormat> {
  const heldLen = window.end - window.at
  const path = input.inputName === '-' ? 'Standard input' : input.inputName
  if (heldLen === 0 && window.fault === undefined) {
    throw new OperatorError('input-empty', `${path} is empty; a capture has at least a header.`)
  }
  const magic = heldLen >= 4 ? window.view.getUint32(window.at) : 0
  if (magic === PCAPNG_MAGIC) return new PcapngFile(input)
  if (isPcapMagic(magic)) {
    if (await holdAtLeast(window, PCAP_HEADER_LEN)) return new PcapFile(window, input)
    return { name: 'pcap', interfaceCount: 0, fault: undefined, needLen: PCAP_HEADER_LEN, fill: fillNothing }
  }
  const within = packing === undefined ? '' : ` within its ${packing}`
  if (window.fault !== undefined) {
    throw new OperatorError('input-not-capture', `${path} is no readable capture: ${window.fault}.`)
  }
  const hex = Buffer.from(window.bytes.buffer, window.at, Math.min(heldLen, 8)).toString('hex')
  const foreign = FOREIGN.find(([start]) => hex.startsWith(start))
  throw new OperatorError(
    'input-not-capture',
    foreign === undefined
      ? `${path} is no capture${within}: it starts with ${hex}, which neither pcap nor pcapng does.`
      : `${path} is ${foreign[1]}.`,
  )
}

/** A header that is cut: the reader finds at once that the input ends within it. */
function fillNothing(_window: ByteWindow, batch: PacketBatch): void {
  batch.count = 0
}

async function holdAtLeast(window: ByteWindow, len: number): Promise<boolean> {
  while (window.end - window.at < len) if (!(await window.fill(len))) return false
  return true
}
