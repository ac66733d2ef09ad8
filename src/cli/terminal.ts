// What the terminal can do.

/** Colour on a terminal unless NO_COLOR says otherwise (https://no-color.org); FORCE_COLOR for pipes. */
export function usesColour(stream: NodeJS.WriteStream): boolean {
  if ((process.env['NO_COLOR'] ?? '') !== '') return false
  if ((process.env['FORCE_COLOR'] ?? '') !== '') return true
  return canMoveCursor(stream)
}

/** Whether lines can be written again in place. */
export function canMoveCursor(stream: NodeJS.WriteStream): boolean {
  return stream.isTTY === true && process.env['TERM'] !== 'dumb'
}

/** Columns of a line that stands for itself: whole into a pipe or a file, where it is searched or kept. */
export function rowWidth(stream: NodeJS.WriteStream): number {
  return stream.isTTY ? outputWidth() : Number.POSITIVE_INFINITY
}

/** Columns to fill: the terminal's, or 100 into a pipe. */
export function outputWidth(): number {
  const columns = process.stdout.columns ?? (Number(process.env['COLUMNS'] ?? '') || 100)
  return Math.max(60, Math.min(160, columns))
}
