// A flow's record in words: the fact that is told at its end. Cold path.
import { IPPROTO_TCP } from '../../constants/wire.ts'
import type { ConnectionFact, FlowFact } from '../../model/connection-facts.ts'
import { addressText } from '../../text/address.ts'
import {
  BYTES_AT,
  BYTES_HIGH_AT,
  FLOW_CLIENT_IS_HIGHER,
  FLOW_HANDSHAKE_DONE,
  FLOW_ID_AT,
  FLOW_SHIFT,
  FLOW_WORDS,
  FRAME_AT,
  HANDSHAKE_AT,
  HIGHER_ADDRESS_AT,
  HISTORY_AT,
  hasLetter,
  isFinished,
  isReset,
  KIND_AT,
  KIND_INTERFACE_SHIFT,
  LAST_AT_F64,
  LETTER_DATA,
  LETTERS,
  LOWER_ADDRESS_AT,
  MSS_AT,
  PACKETS_AT,
  PORTS_AT,
  RETRANSMISSIONS_AT,
  START_AT_F64,
  STATE_AT,
} from './flow-record.ts'
import type { FlowTable } from './flows.ts'

/** The flow's last packet, and its connection seen from the client. */
export function connectionOf(flows: FlowTable, slot: number): ConnectionFact {
  const { words } = flows
  const base = slot << FLOW_SHIFT
  const clientIsHigher = (words[base + STATE_AT]! & FLOW_CLIENT_IS_HIGHER) !== 0
  const ports = words[base + PORTS_AT]!
  const lowerPort = ports >>> 16
  const higherPort = ports & 0xffff
  const clientAt = base + clientAddressAt(words, base)
  const serverAt = base + serverAddressAt(words, base)
  return {
    timeMicros: flows.doubles[(base >> 1) + LAST_AT_F64]!,
    frameNumber: words[base + FRAME_AT]!,
    interfaceId: words[base + KIND_AT]! >>> KIND_INTERFACE_SHIFT,
    flowId: words[base + FLOW_ID_AT]!,
    clientAddress: addressText(words, clientAt),
    clientPort: clientIsHigher ? higherPort : lowerPort,
    serverAddress: addressText(words, serverAt),
    serverPort: clientIsHigher ? lowerPort : higherPort,
    ipVersion: isMappedIpv4(words, clientAt) && isMappedIpv4(words, serverAt) ? 4 : 6,
  }
}

/**
 * A flow's record as the fact that handlers see: one object, moved from slot to slot. Most flows are asked for their
 * protocol and nothing else, so words are made when they are read.
 */
export class FlowView implements FlowFact {
  readonly #flows: FlowTable
  #slot = 0
  #base = 0
  #clientAddress: string | undefined
  #serverAddress: string | undefined
  #history: string | undefined

  constructor(flows: FlowTable) {
    this.#flows = flows
  }

  /** Stands on another flow from now on. */
  moveTo(slot: number): void {
    this.#slot = slot
    this.#base = slot << FLOW_SHIFT
    this.#clientAddress = undefined
    this.#serverAddress = undefined
    this.#history = undefined
  }

  get slot(): number {
    return this.#slot
  }
  get timeMicros(): number {
    return this.endMicros
  }
  get frameNumber(): number {
    return this.#word(FRAME_AT)
  }
  get interfaceId(): number {
    return this.#word(KIND_AT) >>> KIND_INTERFACE_SHIFT
  }
  get flowId(): number {
    return this.#word(FLOW_ID_AT)
  }
  get clientAddress(): string {
    const { words } = this.#flows
    this.#clientAddress ??= addressText(words, this.#base + clientAddressAt(words, this.#base))
    return this.#clientAddress
  }
  get clientPort(): number {
    const ports = this.#word(PORTS_AT)
    return this.#clientIsHigher ? ports & 0xffff : ports >>> 16
  }
  get serverAddress(): string {
    const { words } = this.#flows
    this.#serverAddress ??= addressText(words, this.#base + serverAddressAt(words, this.#base))
    return this.#serverAddress
  }
  get serverPort(): number {
    const ports = this.#word(PORTS_AT)
    return this.#clientIsHigher ? ports >>> 16 : ports & 0xffff
  }
  get ipVersion(): number {
    const { words } = this.#flows
    return isMappedIpv4(words, this.#base + LOWER_ADDRESS_AT) && isMappedIpv4(words, this.#base + HIGHER_ADDRESS_AT)
      ? 4
      : 6
  }
  get ipProtocol(): number {
    return this.#word(KIND_AT) & 0xff
  }
  get startMicros(): number {
    return this.#flows.doubles[(this.#base >> 1) + START_AT_F64]!
  }
  get endMicros(): number {
    return this.#flows.doubles[(this.#base >> 1) + LAST_AT_F64]!
  }
  get packetsToServer(): number {
    return this.#word(PACKETS_AT)
  }
  get packetsToClient(): number {
    return this.#word(PACKETS_AT + 1)
  }
  get bytesToServer(): number {
    return (this.#word(BYTES_HIGH_AT) & 0xffff) * 0x1_0000_0000 + this.#word(BYTES_AT)
  }
  get bytesToClient(): number {
    return (this.#word(BYTES_HIGH_AT) >>> 16) * 0x1_0000_0000 + this.#word(BYTES_AT + 1)
  }
  get state(): FlowFact['state'] {
    return this.ipProtocol === IPPROTO_TCP
      ? tcpState(this.#word(STATE_AT))
      : datagramState(this.#flows.words, this.#base)
  }
  get retransmissions(): number {
    const both = this.#word(RETRANSMISSIONS_AT)
    return (both & 0xffff) + (both >>> 16)
  }
  get mssToServer(): number {
    return this.#word(MSS_AT) & 0xffff
  }
  get mssToClient(): number {
    return this.#word(MSS_AT) >>> 16
  }
  get rttMillis(): number {
    return (this.#word(STATE_AT) & FLOW_HANDSHAKE_DONE) !== 0 ? this.#word(HANDSHAKE_AT) / 1000 : -1
  }
  get history(): string {
    this.#history ??= historyOf(this.#flows.words, this.#base)
    return this.#history
  }

  get #clientIsHigher(): boolean {
    return (this.#word(STATE_AT) & FLOW_CLIENT_IS_HIGHER) !== 0
  }

  #word(at: number): number {
    return this.#flows.words[this.#base + at]!
  }
}

/** Words from the record's first to the client's address. */
export function clientAddressAt(words: Uint32Array, base: number): number {
  return (words[base + STATE_AT]! & FLOW_CLIENT_IS_HIGHER) !== 0 ? HIGHER_ADDRESS_AT : LOWER_ADDRESS_AT
}

export function serverAddressAt(words: Uint32Array, base: number): number {
  return (words[base + STATE_AT]! & FLOW_CLIENT_IS_HIGHER) !== 0 ? LOWER_ADDRESS_AT : HIGHER_ADDRESS_AT
}

/** `active`: data on a connection whose beginning the capture does not hold. */
function tcpState(state: number): FlowFact['state'] {
  if (isFinished(state)) return 'closed'
  if (isReset(state)) return 'reset'
  if ((state & FLOW_HANDSHAKE_DONE) !== 0) return 'established'
  return hasLetter(state, LETTER_DATA, 0) || hasLetter(state, LETTER_DATA, 1) ? 'active' : 'new'
}

/** Without a handshake an answer is what makes it more than an attempt. */
function datagramState(words: Uint32Array, base: number): FlowFact['state'] {
  return words[base + PACKETS_AT]! > 0 && words[base + PACKETS_AT + 1]! > 0 ? 'established' : 'new'
}

function historyOf(words: Uint32Array, base: number): string {
  let history = ''
  for (let at = base + HISTORY_AT; at < base + FLOW_WORDS; at++) {
    for (let shift = 0; shift < 30; shift += 5) {
      const code = (words[at]! >>> shift) & 31
      if (code !== 0) history += LETTERS[code - 1]
    }
  }
  return history
}

function isMappedIpv4(words: Uint32Array, at: number): boolean {
  return words[at] === 0 && words[at + 1] === 0 && words[at + 2] === 0xffff
}
