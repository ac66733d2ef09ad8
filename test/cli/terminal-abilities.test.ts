import { canMoveCursor } from '../../src/cli/terminal.ts'

const stream = (isTTY: boolean) => ({ isTTY }) as NodeJS.WriteStream

test.each([
  ['a terminal', true, 'xterm-256color', true],
  ['a terminal that cannot (TERM=dumb)', true, 'dumb', false],
  ['a pipe', false, 'xterm-256color', false],
])('%s: whether a line can be written again', (_, isTTY, term, can) => {
  const before = process.env['TERM']
  process.env['TERM'] = term
  expect(canMoveCursor(stream(isTTY))).toBe(can)
  if (before === undefined) delete process.env['TERM']
  else process.env['TERM'] = before
})
