// What the page says: never "no leak", never calm when the tunnel is gone or the coverage has holes.
import {
  counted,
  countText,
  coverageLines,
  nameText,
  shown,
  tunnelNow,
  tunnelWords,
  verdictWords,
} from '../../src/web/words.ts'
import { toldEpoch, toldVerdict } from './told.ts'

test.each([
  ['ok', true, 'up', 'good', 'None seen leaking'],
  ['ok', false, 'up', 'unsure', 'None seen leaking, but not all was seen'],
  ['ok', true, 'lost', 'unsure', 'The tunnel is lost; none seen leaking before'],
  ['ok', true, 'none', 'unsure', 'No tunnel now; none seen leaking while it was up'],
  ['mixed', true, 'up', 'bad', 'DNS leaks: some questions'],
  ['mixed', true, 'none', 'bad', 'DNS leaks: some questions'],
  ['leak', false, 'up', 'bad', 'DNS leaks: all that was asked'],
  ['no-tunnel', true, 'none', 'unsure', 'No tunnel, no verdict'],
  ['unknown', true, 'up', 'unsure', 'DNS verdict unknown'],
] as const)('%s, complete %s, tunnel %s', (dns, complete, now, mood, headline) => {
  const words = verdictWords({ ...toldVerdict({}, dns), complete }, 2, now)
  expect([words.mood, words.headline]).toEqual([mood, headline])
  expect(`${words.headline} ${words.sentence}`).not.toMatch(/no leak|not leak|safe|secure|protected/i)
})

test('before there is a verdict, and before anything was asked', () => {
  expect(verdictWords(undefined, undefined, 'up')).toMatchObject({ mood: 'plain', headline: 'No verdict yet' })
  const silent = toldVerdict({ questionsInTunnel: 0, questionsOutside: 0 }, 'ok')
  expect(verdictWords(silent, 0, 'up')).toMatchObject({ mood: 'plain', headline: 'None seen yet' })
})

test('leaked questions are told apart from expected ones only where they are known', () => {
  expect(verdictWords(toldVerdict(), 2, 'up').sentence).toBe(
    '2 of 43 DNS questions left outside the tunnel while it was up or wanted.',
  )
  expect(verdictWords(toldVerdict(), undefined, 'up').sentence).toBe(
    '3 of 43 DNS questions left outside, leaked or expected.',
  )
  expect(verdictWords(toldVerdict({}, 'ok'), 0, 'up').sentence).toBe(
    '40 DNS questions went through the tunnel, 3 outside for a legitimate reason.',
  )
})

test('the tunnel now', () => {
  expect(tunnelNow(undefined)).toBe('none')
  expect(tunnelNow(toldEpoch(1))).toBe('up')
  expect(tunnelNow(toldEpoch(1, 0, { tunnelUp: false }))).toBe('lost')
  expect(tunnelNow(toldEpoch(1, 0, { tunnelUp: false, connected: false }))).toBe('none')
  const time = () => '12:00:00'
  expect(
    tunnelWords(toldEpoch(1, 0, { endpoint: '203.0.113.5:51820', transport: 'WireGuard', tunnelMtu: 1420 }), time),
  ).toEqual({
    mood: 'good',
    state: 'Up: wg0',
    lines: [
      ['Server', '203.0.113.5:51820'],
      ['Transport', 'WireGuard'],
      ['MTU', '1420'],
      ['Leaves by', 'eth0'],
      ['Asks', '10.64.0.1'],
      ['Since', '12:00:00 (epoch 1)'],
    ],
  })
  expect(tunnelWords(toldEpoch(1, 0, { tunnelUp: false, tunnelInterfaces: [] }), time)).toMatchObject({
    mood: 'bad',
    state: 'Lost',
  })
  expect(tunnelWords(toldEpoch(1, 0, { tunnelUp: false, connected: false }), time)).toMatchObject({
    mood: 'unsure',
    state: 'None',
    lines: [
      ['Leaves by', 'eth0'],
      ['Asks', '10.64.0.1'],
      ['Since', '12:00:00 (epoch 1)'],
    ],
  })
})

test('coverage: drops and unwatched interfaces stand out, drops nobody counts are unknown', () => {
  const moods = (made: ReturnType<typeof toldVerdict>, dropped?: number) =>
    Object.fromEntries(coverageLines(made, dropped).map(({ term, text, mood }) => [term, `${mood}: ${text}`]))
  expect(moods(toldVerdict())).toMatchObject({
    Dropped: 'plain: 0',
    'Interfaces watched': 'plain: 2 of 2 up',
    'Connections explained': 'plain: 12 of 12',
  })
  const holes = toldVerdict({ interfacesUp: 3, connections: 0 })
  expect(moods(holes, 1234)).toMatchObject({
    Dropped: 'bad: 1,234',
    'Interfaces watched': 'unsure: 2 of 3 up',
    'Connections explained': 'plain: none seen',
  })
  const { dropped: _, ...unknown } = toldVerdict().coverage
  expect(moods({ ...toldVerdict(), coverage: unknown }).Dropped).toBe('unsure: unknown')
})

test.each([
  ['\u202egnp.exe', '\\u{202e}gnp.exe'],
  ['a\u0000b\n\x1b[31m', 'a\\x00b\\n\\x1b[31m'],
  ['<script>alert(1)</script>', '<script>alert(1)</script>'],
  ['\ud800', '\\u{d800}'],
])('%j is shown as text', (text, expected) => expect(shown(text)).toBe(expected))

test('what is endless is cut, not through a character, and says so', () => {
  expect(shown('x'.repeat(10_000))).toBe(`${'x'.repeat(600)} … (9,400 more characters)`)
  expect(shown('😀'.repeat(10), 5)).toBe('😀😀 … (16 more characters)')
  expect(shown('x'.repeat(600))).toHaveLength(600)
})

test('names and numbers', () => {
  expect([nameText(null), nameText(''), nameText('a.example')]).toEqual(['(encrypted)', '.', 'a.example'])
  expect([0, 999, 1000, 1234567].map(countText)).toEqual(['0', '999', '1,000', '1,234,567'])
  expect([counted(1, 'question'), counted(2000, 'question')]).toEqual(['1 question', '2,000 questions'])
})
