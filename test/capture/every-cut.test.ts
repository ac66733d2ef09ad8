// Captures cut at every byte: what stands before the cut is delivered, and the damage says where the cut record begins.
import { constants, gunzipSync, gzipSync } from 'node:zlib'
import { openCapture } from '../../src/capture/open-capture.ts'
import { OperatorError } from '../../src/model/operator-error.ts'
import { fileOf, type Part, pcapngParts, pcapngWriter, pcapParts, samplePackets, zstdFrame } from './build-capture.ts'
import { expectedRows, type Row, readRows, temporaryFolder } from './read-rows.ts'

const folder = temporaryFolder()
afterAll(() => folder.remove())

const packets = samplePackets(4)
const write = pcapngWriter()
const KINDS: [name: string, parts: Part[]][] = [
  ['pcap', pcapParts(packets)],
  ['modified pcap', pcapParts(packets, { kind: 'modified', little: false })],
  ['pcapng', pcapngParts(packets)],
  ['pcapng, old packet blocks', pcapngParts(packets, { kind: 'oldPacket', little: false })],
  [
    'pcapng with other blocks between',
    [
      ...pcapngParts(packets.slice(0, 2)),
      write.block(0x0bad, new Uint8Array(50)),
      write.secrets(0x544c534b, 'CLIENT_RANDOM 00 11\n'),
      ...packets.slice(2).map((packet) => write.enhancedPacket(packet)),
      write.statistics(0, [[4, write.uint64(9)]]),
    ],
  ],
]

const REFUSED = 'refused'
type Outcome = typeof REFUSED | { rows: Row[]; damage: { offset: number; reason: string } | undefined }

/** What a reader must say of the first `plainLen` bytes of a file made of these parts; `fault` if a compression broke. */
function expectedOf(parts: readonly Part[], plainLen: number, fault?: string): Outcome {
  if (plainLen < 4) return REFUSED
  let at = 0
  let packetCount = 0
  for (const part of parts) {
    if (at + part.bytes.length > plainLen) break
    at += part.bytes.length
    if (part.isPacket) packetCount++
  }
  const reason = fault ?? (at < plainLen ? 'the input ends within a record' : undefined)
  return {
    rows: expectedRows(packets).slice(0, packetCount),
    damage: reason === undefined ? undefined : { offset: at, reason },
  }
}

async function outcomeOf(bytes: Uint8Array): Promise<Outcome> {
  try {
    const source = await openCapture(folder.write(bytes, 'cut'))
    return { rows: await readRows(source), damage: source.inputs[0]!.damage }
  } catch (error) {
    if (error instanceof OperatorError) return REFUSED
    throw error
  }
}

describe.each(KINDS)('%s', (_name, parts) => {
  const file = fileOf(parts)

  test('plain', async () => {
    for (let len = 0; len <= file.length; len++) {
      expect(await outcomeOf(file.subarray(0, len))).toEqual(expectedOf(parts, len))
    }
  })

  test('within gzip', async () => {
    for (let len = 1; len <= file.length; len += 11) {
      expect(await outcomeOf(gzipSync(file.subarray(0, len)))).toEqual(expectedOf(parts, len))
    }
  })
})

test('a cut gzip file gives what can be unpacked', async () => {
  const parts = pcapParts(packets)
  const packed = gzipSync(fileOf(parts))
  for (let len = 11; len < packed.length; len++) {
    const plain = gunzipSync(packed.subarray(0, len), { finishFlush: constants.Z_SYNC_FLUSH })
    expect(await outcomeOf(packed.subarray(0, len))).toEqual(expectedOf(parts, plain.length, 'its gzip data is cut'))
  }
})

test('a cut zstd file gives its whole blocks', async () => {
  const parts = pcapParts(packets)
  const frame = zstdFrame(fileOf(parts), 30)
  const packed = fileOf(frame)
  for (let len = 4; len < packed.length; len++) {
    let at = 0
    let plainLen = 0
    for (const [i, { bytes }] of frame.entries()) {
      if (at + bytes.length > len) break
      at += bytes.length
      if (i > 0) plainLen += bytes.length - 3
    }
    expect(await outcomeOf(packed.subarray(0, len))).toEqual(expectedOf(parts, plainLen, 'its zstd data is cut'))
  }
})
