// HOT PATH. Where packets become facts: fragments, flows, streams and messages meet here, in this order for each row.
import type { DecodedBatch } from '../../model/decoded-batch.ts'
import { ROW_FRAGMENT } from '../../model/decoded-batch.ts'
import type { FactHandlers } from '../../model/facts.ts'
import { LAYER_DNS, LAYER_NBNS } from '../../model/layer.ts'
import type { PacketBatch } from '../../model/packet-batch.ts'

/** Turns decoded rows into facts about fragments, ICMP errors, DNS messages, TLS, HTTP and flows. */
export interface Transport {
  /** Call once for each row of a batch, in order. Facts that the row completes are told before it returns. */
  packet(batch: PacketBatch, out: DecodedBatch, row: number): void
  /** Packet time has reached `timeMicros`: flows and fragments that waited too long are given up. */
  tick(timeMicros: number): void
  /** All input has been read: tells every flow that is left. */
  end(): void
}

/** Only the handlers that exist cost anything: nothing is tracked for a fact nobody listens to. */
export function createTransport(handlers: FactHandlers): Transport {
  return {
    packet(batch, out, row) {
      if ((out.flags[row]! & ROW_FRAGMENT) !== 0) {
        handlers.fragment?.(batch, out, row)
        return
      }
      const layer = out.layer[row]!
      if (layer >= LAYER_DNS && layer <= LAYER_NBNS) handlers.dnsMessage?.(batch, out, row)
      else if (out.quotedAt[row] !== 0) handlers.icmpError?.(batch, out, row)
    },
    tick() {},
    end() {},
  }
}
