// Seconds into a drawing: what is new in each, gaps that are no zeros, scales that people count in.
import { chartOf, niceTop } from '../../src/web/chart.ts'
import { createSamples, SHOWN_SECONDS } from '../../src/web/samples.ts'

const START = Date.UTC(2026, 0, 2)
const totals = (inside: number, outside = 0, leaked: number | undefined = outside) => ({ inside, outside, leaked })

test('a second has what was new in it; the first one after an interruption has nothing', () => {
  const samples = createSamples()
  samples.add(START, 10, totals(100, 20, 5))
  samples.add(START + 1000, 11, totals(103, 24, 7))
  samples.interrupt()
  samples.add(START + 9000, 12, totals(500, 90, 60))
  // Another run counts from nothing.
  samples.add(START + 10_000, 12, totals(2, 1, 1))
  expect(samples.all().map(({ inside, leaked, expected }) => [inside, leaked, expected])).toEqual([
    [0, 0, 0],
    [3, 2, 2],
    [0, 0, 0],
    [0, 0, 0],
  ])
})

test('what is not known as leaked is outside', () => {
  const samples = createSamples()
  samples.add(START, 1, { inside: 0, outside: 0, leaked: undefined })
  samples.add(START + 1000, 1, { inside: 0, outside: 3, leaked: undefined })
  expect(samples.all()[1]).toMatchObject({ leaked: 0, expected: 3 })
})

test('as many seconds as are shown are kept; a clock set back begins anew', () => {
  const samples = createSamples()
  for (let second = 0; second < 1000; second++) samples.add(START + second * 1000, 1, totals(0))
  expect(samples.all()).toHaveLength(SHOWN_SECONDS + 1)
  samples.add(START, 1, totals(0))
  expect(samples.all()).toHaveLength(1)
})

test('the line ends at the right edge and breaks where seconds are missing', () => {
  const samples = createSamples()
  for (const second of [0, 1, 2, 60, 61]) samples.add(START + second * 1000, 10, totals(second))
  const { line, area, packetsTop } = chartOf(samples.all(), START + 61_000)
  expect(packetsTop).toBe(10)
  expect(line).toBe('M239 0L240 0L241 0M299 0L300 0')
  expect(area).toBe('M239 0L240 0L241 0V60H239ZM299 0L300 0V60H299Z')
})

test('questions inside stand above the middle, leaked ones hang below it, expected ones below those', () => {
  const samples = createSamples()
  samples.add(START, 0, totals(0, 0, 0))
  samples.add(START + 1000, 0, totals(2, 3, 1))
  const chart = chartOf(samples.all(), START + 1000)
  expect(chart.questionsTop).toBe(4)
  expect(chart.inside).toBe('M300 30V15h-0.7V30Z')
  expect(chart.leaked).toBe('M300 30V37.5h-0.7V30Z')
  expect(chart.expected).toBe('M300 37.5V52.5h-0.7V37.5Z')
})

test('what lies before the left edge is not drawn', () => {
  const samples = createSamples()
  samples.add(START, 1_000_000, totals(0))
  samples.add(START + 400_000, 5, totals(0))
  expect(chartOf(samples.all(), START + 400_000).packetsTop).toBe(10)
  expect(chartOf([], START)).toMatchObject({ line: '', inside: '' })
})

test.each([
  [0, 10],
  [10, 10],
  [11, 20],
  [99, 100],
  [100, 100],
  [101, 200],
  [201, 500],
  [501, 1000],
  [1000, 1000],
  [1_234_567, 2_000_000],
])('up to %d the scale goes to %d', (most, top) => expect(niceTop(most, 10)).toBe(top))
