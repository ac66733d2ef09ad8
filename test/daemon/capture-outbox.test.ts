// What leaves the capturing thread: an epoch is told again when what left in it is judged later.
import type { Analyzer } from '../../src/analysis/analyzer-interface.ts'
import type { LiveSource } from '../../src/capture/source.ts'
import type { FromCaptureWorker } from '../../src/daemon/capture-messages.ts'
import { CaptureOutbox } from '../../src/daemon/capture-outbox.ts'
import type { DnsRollups } from '../../src/daemon/dns-rollups.ts'
import type { ReportLeak } from '../../src/model/report.ts'
import { makeEpoch, makeVerdict } from '../support/findings.ts'

/** An outbox before an analyzer that says what the test says. */
function play() {
  const told: FromCaptureWorker[] = []
  const now = { epochs: 1, judgedFrom: Number.POSITIVE_INFINITY, packets: 0, leaks: 0 }
  const analyzer = {
    takeFindings: () => [],
    takeSites: () => [],
    takeLeakService: () => [],
    takeLeaks(limit: number) {
      const taken = Math.min(limit, now.leaks)
      now.leaks -= taken
      return Array.from({ length: taken }, () => ({}) as ReportLeak)
    },
    takeJudgedFrom() {
      const from = now.judgedFrom
      now.judgedFrom = Number.POSITIVE_INFINITY
      return from
    },
    overview(firstEpoch: number) {
      const ids = Array.from({ length: now.epochs }, (_, index) => index + 1).filter((id) => id >= firstEpoch)
      const { coverage, ...verdict } = makeVerdict()
      return {
        verdict: { ...verdict, coverage: { ...coverage, packets: now.packets } },
        epochs: ids.map((id) => makeEpoch({ id })),
        interfaces: [],
      }
    },
  } as unknown as Analyzer
  const source = {
    statistics: () => ({ dropped: 0 }),
    inputs: [{ packets: 0, bytes: 0 }],
    caughtUpMicros: 1,
  } as unknown as LiveSource
  const rollups = { flush() {} } as unknown as DnsRollups
  const outbox = new CaptureOutbox(analyzer, source, rollups, (message) => told.push(message))
  /** Epochs of the overviews told since the last call. */
  const epochs = () =>
    told
      .splice(0)
      .flatMap((message) => (message.type === 'overview' ? [message.overview.epochs.map(({ id }) => id)] : []))
  return { now, outbox, epochs, told }
}

test('only the present epoch is told again, unless something of an earlier one was judged', () => {
  const { now, outbox, epochs } = play()
  outbox.statistics()
  now.epochs = 4
  outbox.overview()
  now.packets = 1
  outbox.statistics()
  expect(epochs()).toEqual([[1], [1, 2, 3, 4], [4]])
  now.judgedFrom = 2
  now.packets = 2
  outbox.statistics()
  now.packets = 3
  outbox.statistics()
  expect(epochs()).toEqual([[2, 3, 4], [4]])
})

test('what was judged while the verdict stayed the same is told with the next one', () => {
  const { now, outbox, epochs } = play()
  now.epochs = 3
  outbox.overview()
  now.judgedFrom = 1
  outbox.statistics()
  expect(epochs()).toEqual([[1, 2, 3]])
  now.packets = 1
  outbox.statistics()
  expect(epochs()).toEqual([[1, 2, 3]])
})

test('leaks: so many a second, all of them at the end', () => {
  const { now, outbox, told } = play()
  const counts = () => told.splice(0).flatMap((message) => (message.type === 'leaks' ? [message.leaks.length] : []))
  now.leaks = 1200
  outbox.statistics()
  expect(counts()).toEqual([500])
  outbox.end()
  expect(counts()).toEqual([500, 200])
})
