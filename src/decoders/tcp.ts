// HOT PATH. TCP, RFC 9293 3.1, with the options that matter for sizes and loss.
import {
  TCPOPT_END,
  TCPOPT_MSS,
  TCPOPT_NOP,
  TCPOPT_SACK,
  TCPOPT_SACK_PERMITTED,
  TCPOPT_TIMESTAMPS,
  TCPOPT_WINDOW_SCALE,
} from '../constants/wire.ts'
import {
  type DecodedBatch,
  NO_WINDOW_SCALE,
  ROW_CUT,
  ROW_TCP_SACK_PERMITTED,
  ROW_TCP_TIMESTAMPS,
} from '../model/decoded-batch.ts'
import { LAYER_DONE, LAYER_TCP } from '../model/layer.ts'
import { FAULT_TCP_DATA_OFFSET, FAULT_TCP_OPTION_LENGTH } from '../model/malformed.ts'
import { type Cursor, fault, noteFault, short, u16, u32 } from './cursor.ts'

const SRC_PORT_AT = 0
const DST_PORT_AT = 2
const SEQUENCE_AT = 4
const ACKNOWLEDGMENT_AT = 8
const DATA_OFFSET_AT = 12
const FLAGS_AT = 13
const WINDOW_AT = 14
const MIN_HEADER_LEN = 20
const PORTS_LEN = 4

const MSS_LEN = 4
const WINDOW_SCALE_LEN = 3
const SACK_BLOCK_LEN = 8
/** NOP, NOP, timestamps: the options of nearly every segment of an open connection. */
const ONLY_TIMESTAMPS = 0x0101080a
const ONLY_TIMESTAMPS_LEN = 12
const { min } = Math

/** A header that the snap length cut still gives its ports, and its fixed part when that is whole. */
export function decodeTcp(cursor: Cursor, out: DecodedBatch, row: number): number {
  const { bytes, at } = cursor
  const availableLen = cursor.endAt - at
  if (availableLen >= PORTS_LEN) {
    out.srcPort[row] = u16(bytes, at + SRC_PORT_AT)
    out.dstPort[row] = u16(bytes, at + DST_PORT_AT)
  }
  if (availableLen < MIN_HEADER_LEN) return short(cursor, out, row, LAYER_TCP, MIN_HEADER_LEN)
  out.layer[row] = LAYER_TCP
  out.tcpSeq[row] = u32(bytes, at + SEQUENCE_AT)
  out.tcpAck[row] = u32(bytes, at + ACKNOWLEDGMENT_AT)
  out.tcpFlags[row] = bytes[at + FLAGS_AT]!
  out.tcpWindow[row] = u16(bytes, at + WINDOW_AT)
  out.tcpWindowScale[row] = NO_WINDOW_SCALE
  const headerLen = (bytes[at + DATA_OFFSET_AT]! >> 4) << 2
  if (headerLen < MIN_HEADER_LEN || at + headerLen > cursor.wireEndAt) {
    return fault(cursor, out, row, LAYER_TCP, FAULT_TCP_DATA_OFFSET)
  }
  const payloadAt = at + headerLen
  out.payloadAt[row] = payloadAt
  out.payloadWireLen[row] = cursor.wireEndAt - payloadAt
  if (headerLen > MIN_HEADER_LEN) readOptions(cursor, out, row, payloadAt)
  if (payloadAt > cursor.endAt) {
    out.payloadAt[row] = cursor.endAt
    out.flags[row] = out.flags[row]! | ROW_CUT
    return LAYER_DONE
  }
  out.payloadLen[row] = cursor.endAt - payloadAt
  return LAYER_DONE
}

/** Reads the options up to `optionsEndAt` or to the end of what was captured. A lying length ends the list. */
function readOptions(cursor: Cursor, out: DecodedBatch, row: number, optionsEndAt: number): void {
  const { bytes } = cursor
  const endAt = min(optionsEndAt, cursor.endAt)
  let at = cursor.at + MIN_HEADER_LEN
  if (endAt - at === ONLY_TIMESTAMPS_LEN && u32(bytes, at) === ONLY_TIMESTAMPS) {
    out.flags[row] = out.flags[row]! | ROW_TCP_TIMESTAMPS
    return
  }
  while (at < endAt) {
    const kind = bytes[at]!
    if (kind === TCPOPT_END) return
    if (kind === TCPOPT_NOP) {
      at++
      continue
    }
    const optionLen = at + 1 < endAt ? bytes[at + 1]! : 0
    if (optionLen < 2 || at + optionLen > endAt) {
      // What the snap length took away is not the sender's fault.
      if (endAt === optionsEndAt) noteFault(cursor, out, row, LAYER_TCP, FAULT_TCP_OPTION_LENGTH, at)
      return
    }
    switch (kind) {
      case TCPOPT_MSS:
        if (optionLen === MSS_LEN) out.tcpMss[row] = u16(bytes, at + 2)
        else noteFault(cursor, out, row, LAYER_TCP, FAULT_TCP_OPTION_LENGTH, at)
        break
      case TCPOPT_WINDOW_SCALE:
        if (optionLen === WINDOW_SCALE_LEN) out.tcpWindowScale[row] = bytes[at + 2]!
        else noteFault(cursor, out, row, LAYER_TCP, FAULT_TCP_OPTION_LENGTH, at)
        break
      case TCPOPT_SACK_PERMITTED:
        out.flags[row] = out.flags[row]! | ROW_TCP_SACK_PERMITTED
        break
      case TCPOPT_SACK:
        out.sackAt[row] = at + 2
        out.sackCount[row] = ((optionLen - 2) / SACK_BLOCK_LEN) | 0
        break
      case TCPOPT_TIMESTAMPS:
        out.flags[row] = out.flags[row]! | ROW_TCP_TIMESTAMPS
        break
    }
    at += optionLen
  }
}
