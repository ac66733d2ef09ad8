// The walk over a ring that the test fills as the kernel would: blocks that wrap, batches that end within a block.
import { LiveInterfaces, NOT_CHOSEN } from '../../src/capture/interfaces.ts'
import {
  BLOCK_FIRST_FRAME_AT,
  BLOCK_PACKET_COUNT_AT,
  BLOCK_STATUS_AT,
  BLOCK_STATUS_KERNEL,
  BLOCK_STATUS_USER,
  FRAME_CAPTURED_LEN_AT,
  FRAME_INTERFACE_INDEX_AT,
  FRAME_NANOSECONDS_AT,
  FRAME_NETWORK_OFFSET_AT,
  FRAME_NEXT_OFFSET_AT,
  FRAME_PACKET_TYPE_AT,
  FRAME_SECONDS_AT,
  FRAME_WIRE_LEN_AT,
} from '../../src/capture/ring-layout.ts'
import { RingWalk } from '../../src/capture/ring-walk.ts'
import { MAX_INTERFACES } from '../../src/constants/limits.ts'
import { createPacketBatch } from '../../src/model/packet-batch.ts'

const BLOCK_LEN = 4096
const BLOCK_COUNT = 4
const FRAME_LEN = 128
const NETWORK_OFFSET = 82

/** The kernel's half of the ring. Frame n has n in its nanoseconds, first byte and length. */
class Ring {
  readonly memory = new ArrayBuffer(BLOCK_LEN * BLOCK_COUNT)
  readonly #view = new DataView(this.memory)
  #block = 0
  #frame = 0

  status(block: number): number {
    return this.#view.getUint32(block * BLOCK_LEN + BLOCK_STATUS_AT, true)
  }

  /** Fills the next block; false when it is not the kernel's. */
  fill(frames: number, interfaceIndex = 2): boolean {
    const view = this.#view
    const blockAt = this.#block * BLOCK_LEN
    if (this.status(this.#block) !== BLOCK_STATUS_KERNEL) return false
    view.setUint32(blockAt + BLOCK_PACKET_COUNT_AT, frames, true)
    view.setUint32(blockAt + BLOCK_FIRST_FRAME_AT, 48, true)
    for (let i = 0; i < frames; i++) {
      const at = blockAt + 48 + i * FRAME_LEN
      const n = ++this.#frame
      view.setUint32(at + FRAME_NEXT_OFFSET_AT, i === frames - 1 ? 0 : FRAME_LEN, true)
      view.setUint32(at + FRAME_SECONDS_AT, 0xf000_0000, true)
      view.setUint32(at + FRAME_NANOSECONDS_AT, n * 1000 + 999, true)
      view.setUint32(at + FRAME_CAPTURED_LEN_AT, n % 40, true)
      view.setUint32(at + FRAME_WIRE_LEN_AT, n, true)
      view.setUint16(at + FRAME_NETWORK_OFFSET_AT, NETWORK_OFFSET, true)
      view.setInt32(at + FRAME_INTERFACE_INDEX_AT, interfaceIndex, true)
      view.setUint8(at + FRAME_PACKET_TYPE_AT, n % 2 === 0 ? 4 : 0)
      view.setUint8(at + NETWORK_OFFSET, n & 255)
    }
    view.setUint32(blockAt + BLOCK_STATUS_AT, BLOCK_STATUS_USER, true)
    this.#block = (this.#block + 1) % BLOCK_COUNT
    return true
  }
}

function setUp(rows: number, chosen?: ReadonlySet<string>) {
  const ring = new Ring()
  const interfaces = new LiveInterfaces({ nameOf: (index) => `eth${index}`, snapLen: 0, ...(chosen && { chosen }) })
  const walk = new RingWalk(ring.memory, BLOCK_LEN, BLOCK_COUNT, interfaces)
  const batch = createPacketBatch(rows)
  return { ring, interfaces, walk, batch }
}

test.each([1, 3, 7, 10, 64])('batches of %i rows: every frame once, in order, over many laps', (rows) => {
  const { ring, walk, batch } = setUp(rows)
  let next = 1
  let filled = 0
  for (let round = 0; round < 40; round++) {
    const frames = round % 11
    if (ring.fill(frames)) filled += frames
    for (let i = 0; i < round % 5; i++) {
      walk.fill(batch)
      for (let row = 0; row < batch.count; row++, next++) {
        expect(batch.timeMicros[row]).toBe(0xf000_0000 * 1e6 + next)
        expect(batch.bytes[batch.startAt[row]!]).toBe(next & 255)
        expect(batch.capturedLen[row]).toBe(next % 40)
        expect(batch.wireLen[row]).toBe(next)
        expect(batch.direction[row]).toBe(next % 2 === 0 ? 2 : 1)
        expect(batch.frameNumber[row]).toBe(next)
      }
      walk.release()
    }
  }
  do {
    walk.fill(batch)
    next += batch.count
    walk.release()
  } while (batch.count > 0)
  expect(next - 1).toBe(filled)
  expect(filled).toBeGreaterThan(50)
})

test('a block is the kernel’s again only after release(), and a half-read one stays ours', () => {
  const { ring, walk, batch } = setUp(15)
  ring.fill(10)
  ring.fill(10)
  walk.fill(batch)
  expect(batch.count).toBe(15)
  expect([ring.status(0), ring.status(1)]).toEqual([BLOCK_STATUS_USER, BLOCK_STATUS_USER])
  walk.release()
  expect([ring.status(0), ring.status(1)]).toEqual([BLOCK_STATUS_KERNEL, BLOCK_STATUS_USER])
  walk.fill(batch)
  expect(batch.count).toBe(5)
  walk.release()
  expect(ring.status(1)).toBe(BLOCK_STATUS_KERNEL)
})

test('a full ring is read once, not round and round', () => {
  const { ring, walk, batch } = setUp(100)
  for (let i = 0; i < BLOCK_COUNT; i++) expect(ring.fill(5)).toBe(true)
  expect(ring.fill(5)).toBe(false)
  walk.fill(batch)
  expect(batch.count).toBe(20)
  walk.release()
  expect(ring.fill(5)).toBe(true)
})

test('frames of interfaces that were not chosen are passed over and not numbered', () => {
  const { ring, interfaces, walk, batch } = setUp(100, new Set(['eth3']))
  ring.fill(4, 2)
  ring.fill(2, 3)
  walk.fill(batch)
  expect(batch.count).toBe(2)
  expect([...batch.frameNumber.slice(0, 2)]).toEqual([1, 2])
  expect(interfaces.list.map((one) => one.name)).toEqual(['eth3'])
  expect(interfaces.idOf(2)).toBe(NOT_CHOSEN)
})

test('an interface that comes back has its entry; a renamed one a new one; beyond the bound all share the last', () => {
  const names = new Map([
    [2, 'wg0'],
    [3, 'eth0'],
  ])
  const interfaces = new LiveInterfaces({ nameOf: (index) => names.get(index), snapLen: 0 })
  expect([interfaces.idOf(2), interfaces.idOf(3), interfaces.idOf(2)]).toEqual([0, 1, 0])
  names.delete(2)
  names.set(7, 'wg0')
  names.set(3, 'lan0')
  interfaces.forgetIndices()
  expect([interfaces.idOf(7), interfaces.idOf(3)]).toEqual([0, 2])
  for (let index = 100; index < 100 + MAX_INTERFACES; index++) interfaces.idOf(index)
  expect(interfaces.list).toHaveLength(MAX_INTERFACES)
  expect(interfaces.idOf(999_999)).toBe(MAX_INTERFACES - 1)
  expect(interfaces.list.at(-1)!.name).toBe('others')
})
