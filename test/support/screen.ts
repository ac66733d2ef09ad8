// A terminal small enough to understand: what our screens write, as the lines a person would see.

/**
 * Plays terminal bytes onto a screen and returns its rows, without trailing blanks. Knows what our screens use: newline, carriage
 * return, cursor up and down, erase line, colours; anything else throws.
 */
export function playTerminal(bytes: string, columns: number, rows: number): string[] {
  const screen: string[][] = [[]]
  let row = 0
  let column = 0
  let top = 0
  for (const token of bytes.match(/\x1b\[[0-9;]*[A-Za-z]|[\s\S]/gu) ?? []) {
    if (token === '\n') {
      row++
      column = 0
      screen[row] ??= []
      top = Math.max(top, row - rows + 1)
    } else if (token === '\r') column = 0
    else if (token === '\x1b[2K') screen[row] = []
    else if (/^\x1b\[\d+A$/.test(token)) {
      row -= Number(token.slice(2, -1))
      if (row < top) throw new Error('moved above the screen')
    } else if (/^\x1b\[\d+B$/.test(token)) row += Number(token.slice(2, -1))
    else if (/^\x1b\[[0-9;]*m$/.test(token)) continue
    else if (token < ' ') throw new Error(`unknown control ${JSON.stringify(token)}`)
    else {
      if (column >= columns) throw new Error(`a line is longer than ${columns} columns`)
      const line = screen[row]!
      while (line.length < column) line.push(' ')
      line[column++] = token
    }
  }
  return screen.slice(top, top + rows).map((line) => line.join('').trimEnd())
}
