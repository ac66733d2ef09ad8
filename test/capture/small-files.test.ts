// What is held of a small file is no larger than the file: its end, its growth while it is read, and many tiny packets.
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openByteInput } from '../../src/capture/byte-input.ts'
import { ByteWindow } from '../../src/capture/byte-window.ts'
import { openCapture, openSequence } from '../../src/capture/open-capture.ts'
import { BATCH_ROWS, MIN_READ_LEN, READ_CHUNK_LEN } from '../../src/constants/limits.ts'
import { drain } from '../../src/daemon/pipeline.ts'

const folder = mkdtempSync(join(tmpdir(), 'small-files-'))
afterAll(() => rmSync(folder, { recursive: true }))

const HEADER = Buffer.from('d4c3b2a1020004000000000000000000ffff000065000000', 'hex')

/** `count` raw-IP packets of `len` zero bytes, `firstSecond` on. */
function records(count: number, len: number, firstSecond = 0): Buffer {
  const all = Buffer.alloc(count * (16 + len))
  for (let n = 0; n < count; n++) {
    const at = n * (16 + len)
    all.writeUInt32LE(firstSecond + n, at)
    all.writeUInt32LE(len, at + 8)
    all.writeUInt32LE(len, at + 12)
  }
  return all
}

function file(name: string, ...parts: Buffer[]): string {
  const path = join(folder, name)
  writeFileSync(path, Buffer.concat(parts))
  return path
}

/** The packets' seconds; `between` runs after every batch. */
async function secondsOf(paths: readonly string[], between?: () => unknown): Promise<number[]> {
  const source = await openSequence(paths)
  const seconds: number[] = []
  await drain(
    source,
    (batch, out) => {
      expect(out.capacity).toBeGreaterThanOrEqual(batch.count)
      for (let row = 0; row < batch.count; row++) seconds.push(batch.timeMicros[row]! / 1e6)
    },
    between,
  )
  expect(source.inputs.map((one) => one.damage)).toEqual(paths.map(() => undefined))
  return seconds
}

const upTo = (count: number) => Array.from({ length: count }, (_, n) => n)

test.each([
  ['shorter than the shortest window', 10, MIN_READ_LEN],
  ['one byte longer than it', MIN_READ_LEN + 1, MIN_READ_LEN + 1],
  ['longer than a chunk', READ_CHUNK_LEN + 1, READ_CHUNK_LEN],
])('the window over a file %s', async (_, len, windowLen) => {
  const path = file('bytes', Buffer.alloc(len, 7))
  const window = new ByteWindow(await openByteInput(path))
  expect(window.bytes).toHaveLength(windowLen)
  let read = 0
  while (await window.fill(1)) {
    read += window.end - window.at
    window.at = window.end
  }
  expect(read).toBe(len)
  window.close()
})

test.each([MIN_READ_LEN - 1, MIN_READ_LEN, MIN_READ_LEN + 1, 3 * MIN_READ_LEN])(
  'a capture of %d bytes is whole',
  async (len) => {
    const count = Math.floor((len - HEADER.length) / 116)
    const rest = (len - HEADER.length) % 116
    const last = rest >= 16 ? records(1, rest - 16, count) : Buffer.alloc(0)
    const path = file('whole.pcap', HEADER, records(count, 100), last)
    expect(await secondsOf([path])).toEqual(upTo(count + (rest >= 16 ? 1 : 0)))
  },
)

test('a file that grows while it is read is read to its new end', async () => {
  const path = file('growing.pcap', HEADER, records(3, 100))
  let at = 3
  const seconds = await secondsOf([path], () => {
    if (at === 3) appendFileSync(path, records(2000, 100, 3))
    else if (at === 2003) appendFileSync(path, records(1, 60_000, 2003))
    at += at === 3 ? 2000 : 1
  })
  expect(seconds).toEqual(upTo(seconds.length))
  expect(seconds.length).toBeGreaterThanOrEqual(2003)
})

test('a file of packets without a byte fills its batches, and a small file before a large one bounds nothing', async () => {
  // Not from second 0 on: a record header of nothing but zeros is damage.
  const small = file('small.pcap', HEADER, records(2, 0, 1))
  const large = file('large.pcap', HEADER, records(10_000, 0, 3))
  expect(await secondsOf([small, large])).toEqual(upTo(10_003).slice(1))
  const sizes: number[] = []
  const source = await openCapture(large)
  await drain(source, (batch) => void sizes.push(batch.count))
  expect(sizes).toEqual([BATCH_ROWS, BATCH_ROWS, 10_000 - 2 * BATCH_ROWS])
})
