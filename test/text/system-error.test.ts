import { openSync, readFileSync, writeFileSync } from 'node:fs'
import { systemErrorText } from '../../src/text/system-error.ts'

function textOf(action: () => unknown): string {
  try {
    action()
  } catch (error) {
    return systemErrorText(error)
  }
  return 'nothing was thrown'
}

test.each([
  ['a missing folder', () => openSync("/nowhere/it's, here", 'w'), 'no such file or directory'],
  ['a folder', () => readFileSync('/'), 'illegal operation on a directory'],
  ['a full disk', () => writeFileSync('/dev/full', 'x'), 'no space left on device'],
])('%s in words', (_, action, words) => {
  expect(textOf(action)).toBe(words)
})

test('what is no error of the system stays as it is', () => {
  expect(systemErrorText(new Error('Cannot open: x, y'))).toBe('Cannot open: x, y')
})
