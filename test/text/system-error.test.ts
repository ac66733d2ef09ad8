import { openSync, readFileSync, writeFileSync } from 'node:fs'
import { type AddressInfo, createServer } from 'node:net'
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

test('a port in use, which Node tells with its address', async () => {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const error = await new Promise((resolve) => createServer().once('error', resolve).listen(port, '127.0.0.1'))
  server.close()
  expect(systemErrorText(error)).toBe('address already in use')
})

test('what is no error of the system stays as it is', () => {
  expect(systemErrorText(new Error('Cannot open: x, y'))).toBe('Cannot open: x, y')
})
