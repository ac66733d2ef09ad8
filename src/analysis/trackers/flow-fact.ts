// A flow's record in words: the fact that is told at its end. Cold path.
import { IPPROTO_TCP } from '../../constants/wire.ts'
import type { ConnectionFact, FlowFact } from '../../model/facts.ts'
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

/** Everything the record tells, as it stands. */
export function flowFactOf(flows: FlowTable, slot: number): FlowFact {
  const { words, doubles } = flows
  const base = slot << FLOW_SHIFT
  const state = words[base + STATE_AT]!
  const mss = words[base + MSS_AT]!
  const retransmissions = words[base + RETRANSMISSIONS_AT]!
  const bytesHigh = words[base + BYTES_HIGH_AT]!
  const ipProtocol = words[base + KIND_AT]! & 0xff
  return {
    ...connectionOf(flows, slot),
    ipProtocol,
    startMicros: doubles[(base >> 1) + START_AT_F64]!,
    endMicros: doubles[(base >> 1) + LAST_AT_F64]!,
    packetsToServer: words[base + PACKETS_AT]!,
    packetsToClient: words[base + PACKETS_AT + 1]!,
    bytesToServer: (bytesHigh & 0xffff) * 0x1_0000_0000 + words[base + BYTES_AT]!,
    bytesToClient: (bytesHigh >>> 16) * 0x1_0000_0000 + words[base + BYTES_AT + 1]!,
    state: ipProtocol === IPPROTO_TCP ? tcpState(state) : datagramState(words, base),
    retransmissions: (retransmissions & 0xffff) + (retransmissions >>> 16),
    mssToServer: mss & 0xffff,
    mssToClient: mss >>> 16,
    rttMillis: (state & FLOW_HANDSHAKE_DONE) !== 0 ? words[base + HANDSHAKE_AT]! / 1000 : -1,
    history: historyOf(words, base),
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
