// What a person sees: the tail of one story, time frozen, at two widths.
import { join } from 'node:path'
import { createTailScreen } from '../../src/cli/screen/tail-screen.ts'
import { createStyle } from '../../src/text/style.ts'
import { utcTime } from '../../src/text/timestamp.ts'
import { makeFinding, makeStats, makeVerdict, START_MICROS } from '../support/findings.ts'
import { expectGolden } from '../support/golden.ts'
import { playTerminal } from '../support/screen.ts'

const at = (seconds: number) => utcTime(START_MICROS + seconds * 1_000_000)

/** A tunnel that leaks a little, loses its link for 800 ms, and comes back. */
function story(screen: ReturnType<typeof createTailScreen>): void {
  screen.status({ connection: 'connected', verdict: makeVerdict(), stats: makeStats() })
  screen.note(
    'Following tunnelscope 0.1.0, which has been watching since 03:04:01. Epoch 1 (start): tunnel up (wg0), resolvers 10.64.0.1.',
  )
  screen.finding(
    makeFinding({
      count: 3,
      summary:
        '3 DNS questions left outside the tunnel on eth0 to 192.0.2.53: www.example.com, mail.example.com, one more.',
      process: { pid: 812, name: 'firefox' },
    }),
  )
  screen.finding(
    makeFinding({
      id: 'dns-resolver-not-vpn',
      key: 'r',
      severity: 'warning',
      interface: 'wg0',
      last: at(2),
      summary: '4 questions inside the tunnel went to 198.51.100.53, which is no resolver of the VPN.',
      data: { server: '198.51.100.53' },
    }),
  )
  screen.finding(
    makeFinding({
      id: 'tunnel-down',
      key: 't',
      severity: 'warning',
      interface: 'wg0',
      last: at(9),
      summary: 'The tunnel wg0 was down for 0.80 s.',
      data: {},
    }),
  )
  screen.finding(
    makeFinding({
      id: 'dns-leak-window',
      key: 'w',
      last: at(9),
      count: 40,
      summary:
        '40 questions for 38 names left on eth0 while the tunnel was down for 0.80 s: a.example, b.example, 36 more.',
      data: { server: '192.0.2.1' },
    }),
  )
  screen.finding(
    makeFinding({
      id: 'dns-expected',
      key: 'e',
      severity: 'info',
      last: at(11),
      summary: 'connectivitycheck.example was asked outside: a captive portal check (X3).',
      data: { name: 'connectivitycheck.example' },
    }),
  )
  screen.note('The daemon is gone; reconnecting.')
  screen.note(
    'The daemon is back after 12.00 s (started 03:04:31); 1 finding from meanwhile. Nothing was captured while it was gone.',
  )
}

test.each([80, 160])('at %i columns', (columns) => {
  const timeText = (iso: string) => iso.slice(11, 19)
  const screen = createTailScreen({ columns, rows: 14, style: createStyle(false), timeText })
  story(screen)
  const rows = playTerminal(screen.paint(), columns, 14)
  expectGolden(join(import.meta.dirname, `golden/tail-${columns}.golden.txt`), `${rows.join('\n')}\n`)
})
