// HOT PATH. Packets that start at IP: the version nibble says which.
import type { DecodedBatch } from '../model/decoded-batch.ts'
import { LAYER_IPV4, LAYER_IPV6, LAYER_RAW_IP } from '../model/layer.ts'
import { FAULT_IP_VERSION } from '../model/malformed.ts'
import { type Cursor, fault, short } from './cursor.ts'

export function decodeRawIp(cursor: Cursor, out: DecodedBatch, row: number): number {
  if (cursor.at >= cursor.endAt) return short(cursor, out, row, LAYER_RAW_IP, 1)
  out.layer[row] = LAYER_RAW_IP
  const version = cursor.bytes[cursor.at]! >> 4
  if (version === 4) return LAYER_IPV4
  if (version === 6) return LAYER_IPV6
  return fault(cursor, out, row, LAYER_RAW_IP, FAULT_IP_VERSION)
}
