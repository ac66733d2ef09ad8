// A capture in two files that follow each other, as `dumpcap -b` writes them, says what it says in one: where a file ends
// the tunnel is not lost, and an answer that stands in the next file has not come in elsewhere.
import type { Report } from '../../src/model/report.ts'
import { connect, lookup, PUBLIC_RESOLVER, play, type Step, TUNNEL_RESOLVER } from './scenario.ts'

const every = (fromMillis: number, toMillis: number): Step[] => {
  const steps: Step[] = []
  for (let atMillis = fromMillis; atMillis <= toMillis; atMillis += 1000) {
    steps.push(...lookup({ on: 'wg0', atMillis, name: `n${atMillis}.example`, answeredAfter: 30 }))
  }
  return steps
}

const steady: Step[] = [
  ...every(0, 6000),
  ...connect('eth0', 300, '203.0.113.9', 443),
  ...lookup({ on: 'eth0', atMillis: 2400, name: 'app.example', to: PUBLIC_RESOLVER, answeredAfter: 30 }),
]

/** The tunnel's own resolver is asked outside while nothing goes through the tunnel. */
const lost: Step[] = [
  ...every(0, 3000),
  ...lookup({ on: 'eth0', atMillis: 5000, name: 'app.example', to: TUNNEL_RESOLVER, answeredAfter: 30 }),
  ...every(8000, 10_000),
]

function said(report: Report) {
  return {
    verdict: report.verdict,
    epochs: report.epochs,
    leaks: report.leaks,
    findings: report.findings.map(({ id, cause, count, summary }) => ({ id, cause, count, summary })),
  }
}

/** Files end between two packets, and between a question and its answer. */
test.each([1500, 2415, 2420, 4500, 5015, 6500])('the same in two files, cut at %d ms', (cutAtMillis) => {
  for (const steps of [steady, lost]) {
    const whole = said(play(steps))
    const cut = said(play(steps, { cutAtMillis }))
    expect(cut).toEqual(whole)
  }
})

test('the stories have what they are about', () => {
  expect(play(steady).findings.map((one) => one.id)).toEqual(['dns-leak'])
  expect(play(lost).findings.map((one) => one.id)).toEqual(['dns-leak-window', 'tunnel-down'])
})
