// HOT PATH. The held DNS exchanges as columns, and what their states and flags mean.

/** How an exchange ended. */
export const EXCHANGE_PENDING = 0
export const EXCHANGE_ANSWERED = 1
/** No answer within the timeout. */
export const EXCHANGE_TIMED_OUT = 2
/** The capture ended, or the table was full, before it was decided. */
export const EXCHANGE_UNDECIDED = 3

/** Bits of `flags`. */
export const EXCHANGE_OVER_TCP = 1
export const EXCHANGE_FRAGMENTED = 2
/** The capturing system marked the question as sent by this machine. */
export const EXCHANGE_SENT = 4
/** Sent to a multicast or broadcast address. */
export const EXCHANGE_SHOUTED = 8
/** A second answer came that says something else than the first (RFC 5452 9). */
export const EXCHANGE_CONTRADICTED = 16
/** The only answer came on another interface than the question left by. */
export const EXCHANGE_STRAYED = 32

/** The held exchanges as columns; `slot` runs from 0 to capacity − 1. Valid while the exchange is held. */
export interface ExchangeColumns {
  readonly nameId: Uint32Array
  readonly type: Uint16Array
  readonly dnsId: Uint16Array
  readonly client: Uint32Array
  readonly server: Uint32Array
  readonly clientPort: Uint16Array
  readonly serverPort: Uint16Array
  readonly interfaceId: Uint16Array
  readonly flags: Uint8Array
  readonly ipVersion: Uint8Array
  readonly direction: Uint8Array
  readonly state: Uint8Array
  readonly rcode: Uint8Array
  /** Question messages of this exchange: 1 + repetitions with the same id and port. */
  readonly questions: Uint16Array
  readonly queryMicros: Float64Array
  /** −1 until answered. */
  readonly responseMicros: Float64Array
  readonly queryFrame: Uint32Array
  readonly responseFrame: Uint32Array
  /** LAYER_DNS, LAYER_MDNS, LAYER_LLMNR or LAYER_NBNS. */
  readonly layer: Uint8Array
  readonly ipId: Uint32Array
  /** The addresses of the answer, as an id of the answer table. */
  readonly answers: Uint32Array
  /** Those of the answer that contradicts it, and that one's code. */
  readonly otherAnswers: Uint32Array
  readonly otherRcode: Uint8Array
  /** Where an answer strayed to. */
  readonly otherInterfaceId: Uint16Array
  readonly otherFrame: Uint32Array
  readonly next: Int32Array
}

/** COLD PATH: once for every doubling. */
export function createExchangeColumns(capacity: number): ExchangeColumns {
  return {
    nameId: new Uint32Array(capacity),
    type: new Uint16Array(capacity),
    dnsId: new Uint16Array(capacity),
    client: new Uint32Array(capacity),
    server: new Uint32Array(capacity),
    clientPort: new Uint16Array(capacity),
    serverPort: new Uint16Array(capacity),
    interfaceId: new Uint16Array(capacity),
    flags: new Uint8Array(capacity),
    ipVersion: new Uint8Array(capacity),
    direction: new Uint8Array(capacity),
    state: new Uint8Array(capacity),
    rcode: new Uint8Array(capacity),
    questions: new Uint16Array(capacity),
    queryMicros: new Float64Array(capacity),
    responseMicros: new Float64Array(capacity),
    queryFrame: new Uint32Array(capacity),
    responseFrame: new Uint32Array(capacity),
    layer: new Uint8Array(capacity),
    ipId: new Uint32Array(capacity),
    answers: new Uint32Array(capacity),
    otherAnswers: new Uint32Array(capacity),
    otherRcode: new Uint8Array(capacity),
    otherInterfaceId: new Uint16Array(capacity),
    otherFrame: new Uint32Array(capacity),
    next: new Int32Array(capacity),
  }
}
