// Merging: order of time, nothing lost, ties as the inputs stood, what is too late is counted.
import * as fc from 'fast-check'
import { openMerged } from '../../src/capture/merge.ts'
import { sortByTime } from '../../src/capture/sort-by-time.ts'
import { SORT_WINDOW_LEN, SORT_WINDOW_ROWS } from '../../src/constants/limits.ts'
import { fileOf, pcapngParts, pcapParts, type SpecPacket } from './build-capture.ts'
import { type Row, readRows, temporaryFolder } from './read-rows.ts'

const folder = temporaryFolder()
afterAll(() => folder.remove())

/** A packet whose bytes tell which one it is. */
const packet = (micros: number, mark: number, number = 0, len = 4): SpecPacket => {
  const bytes = new Uint8Array(len)
  new DataView(bytes.buffer).setUint32(0, mark)
  return { micros, bytes, interface: number }
}
const markOf = (row: Row) => Number.parseInt(row.hex.slice(0, 8), 16)

/** [input, mark] of rows in the order of a stable sort by time over all inputs. */
function sorted(inputs: readonly (readonly SpecPacket[])[]): [number, number][] {
  return inputs
    .flatMap((packets, input) => packets.map((one, i) => ({ one, input, mark: i })))
    .sort((a, b) => a.one.micros - b.one.micros || a.input - b.input)
    .map(({ input, mark }) => [input, mark])
}

test('any number of inputs in any order, with several interfaces each, give one stable order', async () => {
  const input = fc.array(fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: 0, max: 2 })), { maxLength: 40 })
  await fc.assert(
    fc.asyncProperty(fc.array(input, { minLength: 2, maxLength: 5 }), async (specs) => {
      const inputs = specs.map((spec) => spec.map(([micros, number], i) => packet(micros, i, number)))
      const paths = inputs.map((packets, i) =>
        folder.write(fileOf(i % 2 ? pcapngParts(packets, { linkTypes: [1, 1, 1] }) : pcapParts(packets)), `in${i}`),
      )
      const source = await openMerged(paths)
      const rows = await readRows(source)
      expect(rows.map((row) => [source.interfaces[row.interfaceId]!.inputIndex, markOf(row)])).toEqual(sorted(inputs))
      expect(rows.every((row) => row.frame === markOf(row) + 1)).toBe(true)
      expect(source.inputs.map(({ packets, late }) => [packets, late])).toEqual(specs.map(({ length }) => [length, 0]))
    }),
    { numRuns: 60 },
  )
})

test('one input with one interface keeps its order, whatever its times', async () => {
  const packets = [5, 3, 9, 0, 4].map((micros, i) => packet(micros, i))
  const source = await openMerged([folder.write(fileOf(pcapngParts(packets)))])
  expect((await readRows(source)).map(markOf)).toEqual([0, 1, 2, 3, 4])
  expect(source.inputs[0]!.late).toBe(0)
})

test('one input with two interfaces is put in order', async () => {
  const packets = [5, 3, 9, 0, 4].map((micros, i) => packet(micros, i, i % 2))
  const source = await openMerged([folder.write(fileOf(pcapngParts(packets, { linkTypes: [1, 101] })))])
  const rows = await readRows(source)
  expect(rows.map(markOf)).toEqual([3, 1, 4, 0, 2])
  expect(rows.map((row) => row.linkType)).toEqual([101, 101, 1, 1, 1])
})

/** A capture of many four-byte packets on two interfaces in turn, and the order in which a source gives them back. */
async function orderOf(times: readonly number[]) {
  const first = fileOf(pcapngParts([packet(0, 0)], { linkTypes: [1, 1] }))
  const blockLen = 36
  const head = first.subarray(0, -blockLen)
  const file = Buffer.concat([head, Buffer.alloc(blockLen * times.length, first.subarray(-blockLen))])
  for (const [i, micros] of times.entries()) {
    const at = head.length + i * blockLen
    file.writeUInt32LE(i % 2, at + 8)
    file.writeUInt32LE(Math.floor(micros / 2 ** 32), at + 12)
    file.writeUInt32LE(micros % 2 ** 32, at + 16)
    file.writeUInt32BE(i, at + 28)
  }
  const source = await openMerged([folder.write(file, 'bulk')])
  const order: number[] = []
  for (let batch = await source.next(); batch !== undefined; batch = await source.next()) {
    const view = new DataView(batch.bytes.buffer)
    for (let row = 0; row < batch.count; row++) order.push(view.getUint32(batch.startAt[row]!))
    batch.release()
  }
  await source.close()
  return { order, late: source.inputs[0]!.late }
}

test('over many windows: disorder within half a window is mended, a wrong time disturbs no other packet', async () => {
  const times = Array.from({ length: SORT_WINDOW_ROWS * 2 + 17 }, (_, i) => 1e6 + i + (i % 2 ? 0 : 20_000))
  times[1000] = 4e15
  times[70_000] = 3e15
  const { order, late } = await orderOf(times)
  const expected = [...times.keys()].sort((a, b) => times[a]! - times[b]! || a - b)
  expect(order.length).toBe(times.length)
  expect(order.findIndex((mark, i) => mark !== expected[i])).toBe(-1)
  expect(late).toBe(0)
})

test('a window of long packets is bounded by its bytes', async () => {
  const len = 60_000
  const count = Math.ceil((SORT_WINDOW_LEN * 2.5) / len)
  const packets = Array.from({ length: count }, (_, i) => packet(1e6 + (i ^ 15), i, i % 2, len))
  const source = await openMerged([folder.write(fileOf(pcapngParts(packets, { linkTypes: [1, 1] })))])
  let last = 0
  let seen = 0
  for (let batch = await source.next(); batch !== undefined; batch = await source.next()) {
    expect(batch.bytes.length).toBeLessThanOrEqual(SORT_WINDOW_LEN * 2)
    for (let row = 0; row < batch.count; row++) {
      expect(batch.timeMicros[row]!).toBeGreaterThan(last)
      last = batch.timeMicros[row]!
      // The mark gives the time back: the bytes belong to their row.
      expect(1e6 + (new DataView(batch.bytes.buffer).getUint32(batch.startAt[row]!) ^ 15)).toBe(last)
      seen++
    }
    batch.release()
  }
  expect(seen).toBe(count)
  await source.close()
})

test('what comes later than the window allows is delivered and counted', async () => {
  const times = Array.from({ length: SORT_WINDOW_ROWS + 5 }, (_, i) => (i < SORT_WINDOW_ROWS ? 2e6 + i : 1e6 + i))
  const { order, late } = await orderOf(times)
  expect(new Set(order).size).toBe(times.length)
  expect(late).toBe(5)
})

test('damage in one input does not stop the others', async () => {
  const bad = fileOf(pcapParts([packet(1, 0), packet(3, 1)])).subarray(0, -1)
  const good = fileOf(pcapParts([packet(2, 0), packet(4, 1)]))
  const source = await openMerged([folder.write(bad), folder.write(good)])
  expect((await readRows(source)).map(({ micros }) => micros)).toEqual([1, 2, 4])
  expect(source.inputs.map(({ damage }) => damage?.offset)).toEqual([24 + 20, undefined])
})

test('sortByTime is a stable sort by time and input', () => {
  const rowOf = fc.tuple(fc.integer({ min: 0, max: 30 }), fc.integer({ min: 0, max: 2 }))
  fc.assert(
    fc.property(fc.array(rowOf, { maxLength: 300 }), (rows) => {
      const order = Uint32Array.from(rows.keys())
      const times = Float64Array.from(rows, ([time]) => time)
      const inputs = Uint16Array.from(rows, ([, input]) => input)
      sortByTime(order, new Uint32Array(rows.length), rows.length, times, inputs)
      const expected = [...rows.keys()].sort((a, b) => rows[a]![0] - rows[b]![0] || rows[a]![1] - rows[b]![1])
      expect([...order]).toEqual(expected)
    }),
  )
})
