import { displayWidth, escapeForTerminal, escapeInJson, fitToWidth, truncateToWidth } from '../../src/text/escape.ts'

describe('escapeForTerminal', () => {
  test.each([
    ['plain-name.example', 'plain-name.example'],
    ['\x1b[31mred\x1b[0m', '\\x1b[31mred\\x1b[0m'],
    ['a\nb\rc\td', 'a\\nb\\rc\\td'],
    ['nul\0byte', 'nul\\x00byte'],
    ['del\x7f c1\x9b2J', 'del\\x7f c1\\x9b2J'],
    ['user\u202egpj.exe', 'user\\u{202e}gpj.exe'],
    ['a\u200fb\u061cc\u2066d\u2069', 'a\\u{200f}b\\u{61c}c\\u{2066}d\\u{2069}'],
    ['zero\u200bwidth\u2060join\ufeff', 'zero\\u{200b}width\\u{2060}join\\u{feff}'],
    ['soft\u00adhyphen', 'soft\\xadhyphen'],
    ['nbsp\u00a0wide\u3000', 'nbsp\\xa0wide\\u{3000}'],
    ['line\u2028para\u2029', 'line\\u{2028}para\\u{2029}'],
    ['hangul\u3164filler\u115f braille\u2800', 'hangul\\u{3164}filler\\u{115f} braille\\u{2800}'],
    ['tag\u{e0041} selector\ufe0f', 'tag\\u{e0041} selector\\u{fe0f}'],
    ['lone\ud800surrogate', 'lone\\u{d800}surrogate'],
    ['private\ue000', 'private\\u{e000}'],
    ['<script>alert(1)</script>', '<script>alert(1)</script>'],
    ['müller.example 東京.example', 'müller.example 東京.example'],
  ])('%j', (input, expected) => {
    expect(escapeForTerminal(input)).toBe(expected)
  })

  test('no byte of 0 … 0x1f, 0x7f … 0x9f is left from any of the first 0x3000 code points', () => {
    let all = ''
    for (let code = 0; code < 0x3000; code++) all += String.fromCodePoint(code)
    expect(escapeForTerminal(all)).not.toMatch(/[\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f]/)
  })

  test('a tower of combining marks keeps three of them', () => {
    expect(escapeForTerminal(`a${'\u0301'.repeat(5)}`)).toBe('a\u0301\u0301\u0301\\u{301}\\u{301}')
  })
})

test('JSON stays the same JSON, and on one line where it was', () => {
  let all = ''
  for (let code = 0; code < 0x3000; code++) all += String.fromCodePoint(code)
  all += `\ud800 \u{e0041} a${'\u0301'.repeat(5)} 東京 “so”`
  const json = escapeInJson(JSON.stringify({ all }, undefined, 2))
  expect(json).not.toMatch(/[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f]/)
  expect(json.split('\n').length).toBe(3)
  expect(json).toContain('a\u0301\u0301\u0301\\u0301\\u0301 東京 “so”')
  expect(JSON.parse(json)).toEqual({ all })
})

describe('width', () => {
  test('wide and combining characters', () => {
    expect(displayWidth('abc')).toBe(3)
    expect(displayWidth('東京')).toBe(4)
    expect(displayWidth('e\u0301')).toBe(1)
  })

  test.each([
    ['abcdef', 6, 'abcdef'],
    ['abcdef', 5, 'abcd…'],
    ['abcdef', 1, '…'],
    ['abcdef', 0, ''],
    ['東京東京', 5, '東京…'],
    ['東京東京', 4, '東…'],
  ])('%s in %i columns', (text, columns, expected) => {
    expect(truncateToWidth(text, columns)).toBe(expected)
    expect(displayWidth(fitToWidth(text, columns))).toBe(columns)
  })
})
