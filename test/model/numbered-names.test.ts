// Tables of names by number: each number has its own name, in its place.
import * as layers from '../../src/model/layer.ts'
import * as faults from '../../src/model/malformed.ts'

test.each([
  ['LAYER_', layers, layers.LAYER_NAMES],
  ['FAULT_', faults, faults.FAULT_NAMES],
])('%s', (prefix, module, names) => {
  const numbers = Object.entries(module).filter(([name, value]) => name.startsWith(prefix) && typeof value === 'number')
  const words = numbers.map(([name, value]) => [value, name.slice(prefix.length).toLowerCase().replaceAll('_', '-')])
  expect(words.sort(([a], [b]) => Number(a) - Number(b))).toEqual([...names.entries()])
})
