import { findingRow } from '../../src/cli/screen/finding-row.ts'
import { type StatusFacts, statusRow } from '../../src/cli/screen/status-row.ts'
import { createTailScreen } from '../../src/cli/screen/tail-screen.ts'
import { displayWidth } from '../../src/text/escape.ts'
import { createStyle } from '../../src/text/style.ts'
import { makeFinding, makeStats, makeVerdict } from '../support/findings.ts'
import { playTerminal } from '../support/screen.ts'

const timeText = (iso: string) => iso.slice(11, 19)
const plain = createStyle(false)

function startScreen(columns = 80, rows = 24, colour = false) {
  const screen = createTailScreen({ columns, rows, style: createStyle(colour), timeText })
  let bytes = ''
  return {
    screen,
    /** Rows as seen now. */
    look(): string[] {
      bytes += screen.paint()
      return playTerminal(bytes, columns, rows)
    },
    bytes: () => bytes,
  }
}

describe.each([80, 160])('at %i columns', (columns) => {
  test('no line is wider than the terminal, however long its words are', () => {
    const long = `${'a'.repeat(63)}.${'東'.repeat(80)}`
    const { screen, look } = startScreen(columns)
    screen.finding(makeFinding({ summary: long, interface: long, process: { pid: 1, name: long }, count: 1e9 }))
    screen.note(long)
    screen.status({ verdict: makeVerdict({ complete: false, reasons: [long] }), stats: makeStats({ resolver: long }) })
    for (const line of look()) expect(displayWidth(line)).toBeLessThanOrEqual(columns)
  })
})

test('a finding counted again is rewritten in place; one that left the screen comes again', () => {
  const { screen, look } = startScreen(80, 5)
  screen.finding(makeFinding({ key: 'a', summary: 'first' }))
  screen.finding(makeFinding({ key: 'b', summary: 'second' }))
  look()
  screen.finding(makeFinding({ key: 'a', summary: 'first', count: 7 }))
  let rows = look()
  expect(rows[0]).toMatch(/first ×7$/)
  expect(rows[1]).toMatch(/second$/)
  for (const key of ['c', 'd', 'e', 'f']) screen.finding(makeFinding({ key, summary: key }))
  look()
  screen.finding(makeFinding({ key: 'a', summary: 'first', count: 9 }))
  rows = look()
  expect(rows.slice(0, 4).map((row) => row.split(' ').slice(-2).join(' '))).toEqual([
    expect.stringMatching(/d$/),
    expect.stringMatching(/e$/),
    expect.stringMatching(/f$/),
    'first ×9',
  ])
})

test('p holds lines back and counts them; p again shows them', () => {
  const { screen, look } = startScreen()
  screen.finding(makeFinding({ key: 'a', summary: 'first' }))
  look()
  screen.press('p')
  screen.finding(makeFinding({ key: 'b', summary: 'second' }))
  screen.finding(makeFinding({ key: 'c', summary: 'third' }))
  const held = look()
  expect(held.join('\n')).not.toContain('second')
  expect(held.at(-1)).toContain('paused, 2 held back')
  screen.press('p')
  const rows = look()
  expect(rows[1]).toContain('second')
  expect(rows[2]).toContain('third')
  expect(rows.at(-1)).not.toContain('paused')
})

test('f keeps what matches all words, looks back, and an empty filter shows everything again', () => {
  const { screen, look } = startScreen(80, 12)
  screen.finding(makeFinding({ key: 'a', interface: 'eth0', summary: 'about www.example.com' }))
  screen.finding(makeFinding({ key: 'b', interface: 'wlan0', summary: 'about mail.example.com' }))
  look()
  for (const key of ['f', 'W', 'L', 'A', 'N', 'x', '\x7f', ' ', 'm', 'a', 'i', 'l', '\r']) screen.press(key)
  screen.finding(makeFinding({ key: 'c', interface: 'eth0', summary: 'about mail.example.com' }))
  const rows = look()
  expect(rows[2]).toBe('— filter: WLAN mail')
  expect(rows[3]).toContain('mail.example.com')
  expect(rows.slice(4, -1)).toEqual([])
  expect(rows.at(-1)).toContain('filter WLAN mail')
  for (const key of ['f', ...new Array(9).fill('\x7f'), '\r']) screen.press(key)
  expect(look().filter((row) => row.includes('about'))).toHaveLength(6)
})

test('/ marks what is found, also without colour; Escape leaves the line', () => {
  const { screen, look, bytes } = startScreen()
  screen.finding(makeFinding({ summary: 'about WWW.example.com' }))
  look()
  for (const key of ['/', 'w', 'w', 'w', '\r']) screen.press(key)
  look()
  expect(bytes()).toContain('\x1b[7mWWW\x1b[27m')
  for (const key of ['/', 'q', '\x1b[A', 'p']) expect(screen.press(key)).toBe(false)
  expect(look().at(-1)).toBe('/qp')
  screen.press('\x1b')
  expect(look().at(-1)).toContain('/www')
})

test('q, Ctrl-C and Ctrl-D leave', () => {
  for (const key of ['q', '\x03', '\x04']) expect(startScreen().screen.press(key)).toBe(true)
})

test('a resize forgets where old lines were: nothing is rewritten above', () => {
  const { screen } = startScreen()
  screen.finding(makeFinding())
  screen.paint()
  screen.resize(60, 10)
  screen.finding(makeFinding({ count: 2 }))
  expect(screen.paint()).not.toMatch(/\x1b\[\d+A/)
})

test('a count that the sentence has is not said twice', () => {
  const options = { columns: 120, style: plain, timeText }
  expect(findingRow(makeFinding({ count: 3, summary: '3 questions left' }), options)).toMatch(/3 questions left$/)
  expect(findingRow(makeFinding({ count: 3, summary: 'to 192.0.2.3' }), options)).toMatch(/ ×3$/)
})

test('without colour there is no colour', () => {
  const { screen, look, bytes } = startScreen()
  screen.finding(makeFinding())
  look()
  expect(bytes()).not.toMatch(/\x1b\[[0-9;]*m/)
  const coloured = startScreen(80, 24, true)
  coloured.screen.finding(makeFinding())
  coloured.look()
  expect(coloured.bytes()).toContain('\x1b[1;31mcrit\x1b[0m')
})

test('hostile words reach the terminal inert', () => {
  const hostile = 'a\x1b[2J\x1b]0;owned\x07\nb\0\u202e\u200b<script>'
  const finding = makeFinding({ summary: hostile, interface: hostile, process: { pid: 1, name: hostile }, data: {} })
  const line = findingRow(finding, { columns: 400, style: plain, timeText })
  expect(line).not.toMatch(/[\x00-\x1f\x7f-\x9f\u200b\u202e]/)
  expect(line).toContain('a\\x1b[2J\\x1b]0;owned\\x07\\nb\\x00\\u{202e}\\u{200b}<script>')
  const { screen, look } = startScreen(160, 10)
  screen.note(hostile)
  screen.finding({ ...finding, id: hostile })
  screen.status({
    verdict: makeVerdict({ complete: false, reasons: [hostile] }),
    stats: makeStats({ resolver: hostile }),
  })
  for (const key of ['/', ...hostile.replaceAll('\x1b', '').replace('\n', '')]) screen.press(key)
  // playTerminal throws at any control our screens do not use.
  expect(look().length).toBe(3)
})

describe('the status line', () => {
  const facts: StatusFacts = {
    connection: 'connected',
    verdict: makeVerdict(),
    stats: makeStats(),
    store: { paused: false, lost: 0 },
    heldBack: undefined,
    filter: '',
    search: '',
  }

  test.each<[string, Partial<StatusFacts>, string]>([
    [
      'some',
      {},
      'DNS LEAK, some questions │ complete │ tunnel up │ 1,240 pkt/s │ 0 dropped │ resolver 10.64.0.1 │ 3 of 43 questions outside',
    ],
    ['all', { verdict: makeVerdict({ dns: 'leak' }) }, 'DNS LEAK │ complete'],
    ['none seen', { verdict: makeVerdict({ dns: 'ok' }) }, 'DNS ok: none of 43 questions seen leaking │ complete'],
    [
      'incomplete',
      { verdict: makeVerdict({ dns: 'ok', complete: false, reasons: ['3 packets were dropped'] }) },
      'DNS ok: none of 43 questions seen leaking │ INCOMPLETE: 3 packets were dropped',
    ],
    ['nothing yet', { verdict: undefined }, 'no verdict yet │ tunnel up'],
    ['no tunnel', { verdict: makeVerdict({ dns: 'no-tunnel' }) }, 'no tunnel, no verdict'],
    ['lost', { connection: 'lost' }, 'daemon gone, reconnecting │ DNS LEAK, some'],
    ['store paused', { store: { paused: true, lost: 4 } }, '│ STORE PAUSED │'],
    ['drops', { stats: makeStats({ dropped: 12_345, tunnel: 'down' }) }, 'tunnel down │ 1,240 pkt/s │ 12,345 dropped'],
  ])('%s', (_, changes, expected) => {
    expect(statusRow({ ...facts, ...changes }, 160, plain)).toContain(expected)
  })

  test('never says that there is no leak', () => {
    for (const dns of ['ok', 'leak', 'mixed', 'no-tunnel', 'unknown'] as const) {
      expect(statusRow({ ...facts, verdict: makeVerdict({ dns }) }, 160, plain)).not.toMatch(/no leak/i)
    }
  })

  test('what does not fit is left out whole, the verdict last', () => {
    expect(statusRow(facts, 60, plain)).toBe('DNS LEAK, some questions │ complete │ tunnel up')
    expect(statusRow(facts, 20, plain)).toBe('DNS LEAK, some ques…')
  })
})
