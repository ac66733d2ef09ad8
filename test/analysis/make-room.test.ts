import { expect, test } from '@jest/globals'
import { makeRoom } from '../../src/analysis/make-room.ts'

const full = (size: number): Map<number, string> => new Map(Array.from({ length: size }, (_, key) => [key, `${key}`]))

test('a map with room is left alone', () => {
  const map = full(15)
  makeRoom(map, 16)
  expect(map.size).toBe(15)
})

test('of a full one the oldest eighth goes, at least one', () => {
  const map = full(16)
  makeRoom(map, 16)
  expect([...map.keys()]).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])
  const small = full(3)
  makeRoom(small, 3)
  expect([...small.keys()]).toEqual([1, 2])
})

test('who removes hears of each', () => {
  const map = full(8)
  const gone: string[] = []
  makeRoom(map, 8, (key, value) => {
    gone.push(value)
    map.delete(key)
  })
  expect(gone).toEqual(['0'])
  expect(map.size).toBe(7)
})
