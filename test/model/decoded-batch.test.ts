import { expect, test } from '@jest/globals'
import { clearDecodedBatch, createDecodedBatch } from '../../src/model/decoded-batch.ts'

test.each([1, 2, 4])('%d cleared rows show nothing of an older packet, the others stay', (count) => {
  const rows = 4
  const out = createDecodedBatch(rows)
  const columns = Object.entries(out).filter(([, value]) => ArrayBuffer.isView(value)) as [string, Uint32Array][]
  expect(columns.length).toBeGreaterThan(40)
  for (const [, column] of columns) column.fill(0xff)
  clearDecodedBatch(out, count)
  for (const [name, column] of columns) {
    const width = column.length / rows
    const expected = Array.from({ length: column.length }, (_, at) => (at < count * width ? 0 : 0xff))
    expect([name, [...column]]).toEqual([name, expected])
  }
})
