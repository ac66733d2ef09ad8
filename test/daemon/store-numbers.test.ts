import { inStoreNumbers } from '../../src/daemon/store-numbers.ts'
import { makeFinding, makeSite } from '../support/findings.ts'

test('a finding takes the store’s number, and so do the epochs that it compares', () => {
  const data = {
    host: 'www.example.com',
    comparison: { control: makeSite({ epoch: 1 }), test: makeSite({ epoch: 2 }), next: undefined },
    settledBy: ['epoch 1', 'A'],
  }
  const moved = inStoreNumbers(makeFinding({ id: 'site-differs', epoch: 2, data }), 6)
  expect(moved).toMatchObject({
    epoch: 8,
    data: { comparison: { control: { epoch: 7 }, test: { epoch: 8 } }, settledBy: ['epoch 7', 'A'] },
  })
  expect(data.comparison.test.epoch).toBe(2)
})

test('a finding without a comparison keeps its data', () => {
  const finding = makeFinding({ epoch: 3 })
  expect(inStoreNumbers(finding, 5)).toEqual({ ...finding, epoch: 8 })
})
