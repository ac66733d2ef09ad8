// Text from the wire made harmless for a terminal, and cut to a number of columns. Names, hosts and headers are the
// other side's words: a control byte could move the cursor, a bidirectional mark could turn a line around.

/**
 * What a reader cannot see or what acts instead of being shown: controls, format characters (bidirectional marks, joiners,
 * soft hyphen, tags, byte order mark), surrogates, private and unassigned code points, separators other than the
 * plain space, and letters that are blank by definition (Unicode Default_Ignorable_Code_Point, the Braille blank).
 */
const UNSAFE = /[\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u2800]|(?! )\p{Zs}/gu
const COMBINING = /\p{M}/u
/** More marks than any script stacks on one letter would climb into the lines above. */
const MARK_RUN = /(\p{M}{3})(\p{M}+)/gu

/** The text with every unsafe code point written out: `\n`, `\x1b`, `\u{202e}`. The result is one line. */
export function escapeForTerminal(text: string): string {
  return text
    .replace(UNSAFE, escapeCodePoint)
    .replace(MARK_RUN, (_, kept: string, rest: string) => kept + escapeAll(rest))
}

function escapeAll(text: string): string {
  return Array.from(text, escapeCodePoint).join('')
}

function escapeCodePoint(character: string): string {
  const code = character.codePointAt(0)!
  if (code === 0x0a) return '\\n'
  if (code === 0x0d) return '\\r'
  if (code === 0x09) return '\\t'
  if (code <= 0xff) return `\\x${code.toString(16).padStart(2, '0')}`
  return `\\u{${code.toString(16)}}`
}

/**
 * JSON that no terminal acts on and that means the same: unsafe code points as `\\u009b`. Its line ends stay. Below 0x7f
 * JSON.stringify has written out whatever acts.
 */
export function escapeInJson(json: string): string {
  if (!/[\u007f-\uffff]/.test(json)) return json
  return json
    .replace(UNSAFE, (character) => (character === '\n' ? character : jsonUnits(character)))
    .replace(MARK_RUN, (_, kept: string, rest: string) => kept + jsonUnits(rest))
}

/** UTF-16, as JSON counts (RFC 8259 7). */
function jsonUnits(text: string): string {
  let units = ''
  for (let at = 0; at < text.length; at++) units += `\\u${text.charCodeAt(at).toString(16).padStart(4, '0')}`
  return units
}

/** First and last code points that take two columns (Unicode East Asian Width W and F, emoji included), ascending. */
const WIDE_RANGES = [
  0x1100, 0x115f, 0x231a, 0x231b, 0x23e9, 0x23ec, 0x25fd, 0x25fe, 0x2614, 0x2615, 0x2648, 0x2653, 0x26aa, 0x26ab,
  0x26bd, 0x26be, 0x26c4, 0x26c5, 0x26d4, 0x26d4, 0x26f2, 0x26f3, 0x26f5, 0x26f5, 0x26fa, 0x26fa, 0x2705, 0x2705,
  0x270a, 0x270b, 0x2728, 0x2728, 0x274c, 0x274c, 0x2753, 0x2755, 0x2757, 0x2757, 0x2795, 0x2797, 0x2e80, 0x303e,
  0x3041, 0x33ff, 0x3400, 0x4dbf, 0x4e00, 0x9fff, 0xa000, 0xa4cf, 0xa960, 0xa97f, 0xac00, 0xd7a3, 0xf900, 0xfaff,
  0xfe30, 0xfe6f, 0xff00, 0xff60, 0xffe0, 0xffe6, 0x17000, 0x18cff, 0x1b000, 0x1b2ff, 0x1f004, 0x1f004, 0x1f0cf,
  0x1f0cf, 0x1f18e, 0x1f18e, 0x1f191, 0x1f19a, 0x1f200, 0x1f265, 0x1f300, 0x1f64f, 0x1f680, 0x1f6ff, 0x1f7e0, 0x1f7eb,
  0x1f900, 0x1f9ff, 0x1fa70, 0x1faff, 0x20000, 0x3fffd,
]

/** Columns a code point takes: 0 for a combining mark, 2 for a wide one, else 1. */
function columnsOf(character: string): number {
  const code = character.codePointAt(0)!
  if (code < 0x300) return 1
  if (COMBINING.test(character)) return 0
  for (let index = 0; index < WIDE_RANGES.length; index += 2) {
    if (code < WIDE_RANGES[index]!) return 1
    if (code <= WIDE_RANGES[index + 1]!) return 2
  }
  return 1
}

/** Columns the text takes on a terminal. Escaped text only: controls count as one. */
export function displayWidth(text: string): number {
  let width = 0
  for (const character of text) width += columnsOf(character)
  return width
}

/** The text cut to at most `columns` columns; a cut text ends with `…`. Escaped, uncoloured text only. */
export function truncateToWidth(text: string, columns: number): string {
  if (columns <= 0) return ''
  if (displayWidth(text) <= columns) return text
  let kept = ''
  let width = 0
  for (const character of text) {
    const next = columnsOf(character)
    if (width + next > columns - 1) break
    kept += character
    width += next
  }
  return `${kept}…`
}

/** The text cut or filled with spaces to exactly `columns` columns. Escaped, uncoloured text only. */
export function fitToWidth(text: string, columns: number): string {
  const cut = truncateToWidth(text, columns)
  return cut + ' '.repeat(Math.max(0, columns - displayWidth(cut)))
}
