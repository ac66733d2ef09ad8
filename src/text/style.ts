// Colour for people: a handful of meanings, each one SGR code; nothing at all when colour is off.

/** Wraps text in a meaning's colour. */
export interface Style {
  bold(text: string): string
  dim(text: string): string
  bad(text: string): string
  warn(text: string): string
  good(text: string): string
  name(text: string): string
}

const plain = (text: string): string => text

export function createStyle(colour: boolean): Style {
  if (!colour) return { bold: plain, dim: plain, bad: plain, warn: plain, good: plain, name: plain }
  const sgr = (code: string) => (text: string) => (text === '' ? '' : `\x1b[${code}m${text}\x1b[0m`)
  return { bold: sgr('1'), dim: sgr('2'), bad: sgr('1;31'), warn: sgr('33'), good: sgr('32'), name: sgr('36') }
}
