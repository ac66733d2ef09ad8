// Cold path. The `flow` event: a connection or 5-tuple at its end.
import type { FlowFact } from '../model/connection-facts.ts'
import { eventTime } from './timestamp.ts'

/** Sizes in bytes, `age` in whole seconds, `rtt_ms` only when a handshake was seen, MSS only when one was offered. */
export function flowEvent(fact: FlowFact): Record<string, unknown> {
  const event: Record<string, unknown> = {
    pkts_toserver: fact.packetsToServer,
    pkts_toclient: fact.packetsToClient,
    bytes_toserver: fact.bytesToServer,
    bytes_toclient: fact.bytesToClient,
    start: eventTime(fact.startMicros),
    end: eventTime(fact.endMicros),
    age: Math.max(0, Math.floor((fact.endMicros - fact.startMicros) / 1_000_000)),
    state: fact.state,
    retransmissions: fact.retransmissions,
  }
  if (fact.mssToServer !== 0) event.mss_toserver = fact.mssToServer
  if (fact.mssToClient !== 0) event.mss_toclient = fact.mssToClient
  if (fact.rttMillis >= 0) event.rtt_ms = fact.rttMillis
  event.history = fact.history
  return event
}
