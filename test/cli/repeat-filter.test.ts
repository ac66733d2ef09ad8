import { createRepeatFilter } from '../../src/cli/screen/repeat-filter.ts'

const finding = (count: number, key = 'a') => ({ id: 'dns-leak', key, epoch: 1, count })

test('a line for the first, then whenever the count has doubled', () => {
  const isWorthALine = createRepeatFilter()
  expect([1, 2, 3, 4, 5, 7, 8, 15, 40].filter((count) => isWorthALine(finding(count)))).toEqual([1, 2, 4, 8, 40])
})

test('every key has its own count', () => {
  const isWorthALine = createRepeatFilter()
  expect([isWorthALine(finding(9)), isWorthALine(finding(1, 'b')), isWorthALine(finding(10))]).toEqual([
    true,
    true,
    false,
  ])
})
