// Captures cut at every byte: what stands before the cut is delivered, and the damage says where the cut record begins.
import { constants, gunzipSync, gzipSync } from 'node:zlib'
import { openCapture } from '../../src/capture/open-capture.ts'
import { OperatorError } from '../../src/model/operator-error.ts'
import { fileOf, type Part, pcapngParts, pcapngWriter, pcapParts, samplePackets, zstdFrame } from './build-capture.ts'
import { expectedRows, readRows, temporaryFolder } from './read-rows.ts'

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

/** What a reader must say of the first `len` bytes of a file made of these parts. */
function expectedOf(parts: readonly Part[], len: number): { packetCount: number; damageOffset: number | undefined } {
  let at = 0
  let packetCount = 0
  for (const part of parts) {
    if (at === len) break
    if (at + part.bytes.length > len) return { packetCount, damageOffset: at }
    at += part.bytes.length
    if (part.isPacket) packetCount++
  }
  return { packetCount, damageOffset: undefined }
}

async function check(bytes: Uint8Array, parts: readonly Part[], plainLen: number, reason?: RegExp) {
  const opening = openCapture(folder.write(bytes, 'cut'))
  if (plainLen < 4) {
    await expect(opening).rejects.toBeInstanceOf(OperatorError)
    return
  }
  const source = await opening
  const { packetCount, damageOffset } = expectedOf(parts, plainLen)
  expect(await readRows(source)).toEqual(expectedRows(packets).slice(0, packetCount))
  const damage = source.inputs[0]!.damage
  if (reason === undefined) {
    expect(damage?.offset).toBe(damageOffset)
    if (damageOffset !== undefined) expect(damage!.reason).toBe('the input ends within a record')
  } else {
    expect(damage?.offset).toBe(damageOffset ?? plainLen)
    expect(damage!.reason).toMatch(reason)
  }
}

describe.each(KINDS)('%s', (_name, parts) => {
  const file = fileOf(parts)

  test('plain', async () => {
    for (let len = 0; len <= file.length; len++) await check(file.subarray(0, len), parts, len)
  })

  test('within gzip', async () => {
    for (let len = 1; len <= file.length; len += 11) await check(gzipSync(file.subarray(0, len)), parts, len)
  })
})

test('a cut gzip file gives what can be unpacked', async () => {
  const parts = pcapParts(packets)
  const packed = gzipSync(fileOf(parts))
  for (let len = 11; len < packed.length; len++) {
    const plain = gunzipSync(packed.subarray(0, len), { finishFlush: constants.Z_SYNC_FLUSH })
    await check(packed.subarray(0, len), parts, plain.length, /gzip data is cut/)
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
    await check(packed.subarray(0, len), parts, plainLen, /zstd data is cut/)
  }
})
