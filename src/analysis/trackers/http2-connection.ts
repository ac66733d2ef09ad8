// A connection that speaks HTTP/2 in the clear with prior knowledge (RFC 9113 3.3): named once, then opaque.
import type { ConnectionFact } from '../../model/facts.ts'
import type { HttpSink } from './http-exchanges.ts'
import { connectionOf, type StreamConsumer } from './stream-consumer.ts'

export class Http2Connection implements StreamConsumer {
  done = false
  readonly unwrapped = false
  readonly #sink: HttpSink

  constructor(sink: HttpSink) {
    this.#sink = sink
  }

  push(fromClient: boolean, _bytes: Uint8Array, at: number, endAt: number, where: ConnectionFact): number {
    this.done = true
    const connection = connectionOf(where, !fromClient)
    this.#sink.http?.({ ...connection, kind: 'request', headMicros: where.timeMicros, protocol: 'HTTP/2' })
    return endAt - at
  }

  gap(): void {
    this.done = true
  }

  end(): void {
    this.done = true
  }
}
