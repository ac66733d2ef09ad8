// HOT PATH. Linux cooked headers: what AF_PACKET and `-i any` give instead of the link layer.
// https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html and LINKTYPE_LINUX_SLL2.html.
import { ARPHRD_FRAD, ARPHRD_IEEE80211_RADIOTAP, ARPHRD_NETLINK } from '../constants/wire.ts'
import { type DecodedBatch, ROW_GROUP_ADDRESSED, ROW_RECEIVED, ROW_SENT } from '../model/decoded-batch.ts'
import { LAYER_LINUX_COOKED, LAYER_LINUX_COOKED_V2, LAYER_LLC, LAYER_UNKNOWN } from '../model/layer.ts'
import { type Cursor, short, u16 } from './cursor.ts'
import { pureEtherTypeLayer } from './ethertype.ts'

const V1_PACKET_TYPE_AT = 0
const V1_ARPHRD_AT = 2
const V1_PROTOCOL_AT = 14
const V1_HEADER_LEN = 16
const V2_PROTOCOL_AT = 0
const V2_ARPHRD_AT = 8
const V2_PACKET_TYPE_AT = 10
const V2_HEADER_LEN = 20

const PACKET_TYPE_BROADCAST = 1
const PACKET_TYPE_MULTICAST = 2
const PACKET_TYPE_OUTGOING = 4
/** Instead of an EtherType: an IEEE 802.2 header follows. */
const PROTOCOL_LLC = 4

export function decodeLinuxCooked(cursor: Cursor, out: DecodedBatch, row: number): number {
  const { bytes, at } = cursor
  if (cursor.endAt - at < V1_HEADER_LEN) return short(cursor, out, row, LAYER_LINUX_COOKED, V1_HEADER_LEN)
  out.layer[row] = LAYER_LINUX_COOKED
  markPacketType(u16(bytes, at + V1_PACKET_TYPE_AT), out, row)
  cursor.next = u16(bytes, at + V1_PROTOCOL_AT)
  cursor.at = at + V1_HEADER_LEN
  return protocolLayer(cursor, u16(bytes, at + V1_ARPHRD_AT))
}

export function decodeLinuxCookedV2(cursor: Cursor, out: DecodedBatch, row: number): number {
  const { bytes, at } = cursor
  if (cursor.endAt - at < V2_HEADER_LEN) return short(cursor, out, row, LAYER_LINUX_COOKED_V2, V2_HEADER_LEN)
  out.layer[row] = LAYER_LINUX_COOKED_V2
  markPacketType(bytes[at + V2_PACKET_TYPE_AT]!, out, row)
  cursor.next = u16(bytes, at + V2_PROTOCOL_AT)
  cursor.at = at + V2_HEADER_LEN
  return protocolLayer(cursor, u16(bytes, at + V2_ARPHRD_AT))
}

/** Promiscuous captures also hold packets for other hosts (type 3): neither sent nor received by this machine. */
function markPacketType(packetType: number, out: DecodedBatch, row: number): void {
  if (packetType === PACKET_TYPE_OUTGOING) out.flags[row] = out.flags[row]! | ROW_SENT
  else if (packetType < PACKET_TYPE_BROADCAST) out.flags[row] = out.flags[row]! | ROW_RECEIVED
  else if (packetType <= PACKET_TYPE_MULTICAST) out.flags[row] = out.flags[row]! | ROW_RECEIVED | ROW_GROUP_ADDRESSED
}

function protocolLayer(cursor: Cursor, hardwareType: number): number {
  if (hardwareType === ARPHRD_NETLINK || hardwareType === ARPHRD_IEEE80211_RADIOTAP || hardwareType === ARPHRD_FRAD) {
    return LAYER_UNKNOWN
  }
  return cursor.next === PROTOCOL_LLC ? LAYER_LLC : pureEtherTypeLayer(cursor)
}
