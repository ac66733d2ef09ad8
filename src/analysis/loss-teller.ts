// What the capturing system lost, as facts: of an input as a whole whenever it grew, of each interface at the end.
import type { CaptureInterface, InputSummary } from '../model/capture-interface.ts'
import type { CaptureStatisticsFact } from '../model/facts.ts'

export interface LossTeller {
  /** Loss that belongs to no interface: the kernel counts for its ring as a whole. */
  tick(nowMicros: number): void
  /** `packetsOf(interfaceId)`: packets seen there. */
  end(nowMicros: number, packetsOf: (interfaceId: number) => number): void
}

export function createLossTeller(
  interfaces: readonly CaptureInterface[],
  inputs: readonly InputSummary[],
  tell: (fact: CaptureStatisticsFact) => void,
): LossTeller {
  /** By input, as told so far. */
  const told: number[] = []

  function tick(timeMicros: number): void {
    for (let index = 0; index < inputs.length; index++) {
      const { dropped, name, packets } = inputs[index]!
      if (dropped === undefined || dropped === told[index]) continue
      told[index] = dropped
      tell({ interfaceName: 'all interfaces', inputName: name, timeMicros, packets, dropped })
    }
  }

  return {
    tick,
    end(timeMicros, packetsOf) {
      for (const one of interfaces) {
        if (one.isContinuation) continue
        const interfaceName = one.name ?? one.inputName
        const { inputName } = one
        const { received = 0, dropped = 0 } = one.statistics ?? {}
        // A file that holds a selection keeps the figures of the whole capture.
        const packets = Math.max(packetsOf(one.id), received - dropped)
        tell({ interfaceName, inputName, timeMicros, packets, dropped })
      }
      tick(timeMicros)
    },
  }
}
