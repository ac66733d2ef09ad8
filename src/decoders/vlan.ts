// HOT PATH. VLAN tags, IEEE 802.1Q, one at a time; QinQ is a tag after a tag.
import { ETHERTYPE_IPV4, ETHERTYPE_IPV6, ETHERTYPE_MIN } from '../constants/wire.ts'
import type { DecodedBatch } from '../model/decoded-batch.ts'
import {
  LAYER_ETHERTYPE,
  LAYER_IPV4,
  LAYER_IPV6,
  LAYER_LINUX_COOKED,
  LAYER_LINUX_COOKED_V2,
  LAYER_VLAN,
} from '../model/layer.ts'
import { type Cursor, short, u16 } from './cursor.ts'

const TYPE_AT = 2
const HEADER_LEN = 4
const VLAN_ID_MASK = 0x0fff

/** Keeps the outermost tag's VLAN id. */
export function decodeVlan(cursor: Cursor, out: DecodedBatch, row: number): number {
  const { bytes, at } = cursor
  if (cursor.endAt - at < HEADER_LEN) return short(cursor, out, row, LAYER_VLAN, HEADER_LEN)
  const type = u16(bytes, at + TYPE_AT)
  const parent = out.layer[row]
  if ((parent === LAYER_LINUX_COOKED || parent === LAYER_LINUX_COOKED_V2) && !startsTag(cursor, type)) {
    const version = bytes[at]! >> 4
    if (version === 4) return LAYER_IPV4
    if (version === 6) return LAYER_IPV6
  }
  out.layer[row] = LAYER_VLAN
  if (out.vlanId[row] === 0 && out.ipVersion[row] === 0) out.vlanId[row] = u16(bytes, at) & VLAN_ID_MASK
  cursor.next = type
  cursor.at = at + HEADER_LEN
  return LAYER_ETHERTYPE
}

/**
 * Linux may say "VLAN" in the cooked header when the kernel has already taken the tag away: the data then starts at IP.
 * It is a tag when its type is one and, for IP, the version that must follow does follow.
 */
function startsTag(cursor: Cursor, type: number): boolean {
  if (type < ETHERTYPE_MIN) return false
  const versionAt = cursor.at + HEADER_LEN
  if (versionAt >= cursor.endAt) return true
  if (type === ETHERTYPE_IPV4) return cursor.bytes[versionAt]! >> 4 === 4
  if (type === ETHERTYPE_IPV6) return cursor.bytes[versionAt]! >> 4 === 6
  const version = cursor.bytes[cursor.at]! >> 4
  return version !== 4 && version !== 6
}
