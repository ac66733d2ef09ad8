// What each interface carried since the last look, as the store keeps it: by minute. The kernel counts what it dropped
// for the ring as a whole; that is a row of its own.
import type { ReportInterface } from '../model/report.ts'
import type { CaptureTally } from '../store/records.ts'

const MINUTE_MICROS = 60_000_000
/** No interface's name: those have no spaces. */
export const ALL_INTERFACES = 'all interfaces'

export interface CaptureTallies {
  /** The figures of the interfaces begin at nought again; that of the drops goes on. */
  startAnew(): void
  /** What was added since the last call, `nowMicros` being its time. `interfaces` only grows, an entry never moves. */
  take(nowMicros: number, interfaces: readonly Figures[], dropped: number): CaptureTally[]
}

type Figures = Pick<ReportInterface, 'name' | 'packets' | 'bytes'>

export function createCaptureTallies(): CaptureTallies {
  const before: { packets: number; bytes: number }[] = []
  let droppedBefore = 0
  return {
    startAnew() {
      before.length = 0
    },
    take(nowMicros, interfaces, dropped) {
      const minuteMicros = Math.floor(nowMicros / MINUTE_MICROS) * MINUTE_MICROS
      const tallies = interfaces.flatMap(({ name, packets, bytes }, index) => {
        const last = before[index]
        before[index] = { packets, bytes }
        const added = { packets: packets - (last?.packets ?? 0), bytes: bytes - (last?.bytes ?? 0) }
        return added.packets === 0 ? [] : [{ minuteMicros, interface: name, ...added, dropped: 0 }]
      })
      if (dropped > droppedBefore) {
        const lost = dropped - droppedBefore
        tallies.push({ minuteMicros, interface: ALL_INTERFACES, packets: 0, bytes: 0, dropped: lost })
      }
      droppedBefore = dropped
      return tallies
    },
  }
}
