// HOT PATH. The EtherType registry as far as we follow it: which layer a number leads to.
import {
  ETHERTYPE_ARP,
  ETHERTYPE_IPV4,
  ETHERTYPE_IPV6,
  ETHERTYPE_MIN,
  ETHERTYPE_MPLS_MULTICAST,
  ETHERTYPE_MPLS_UNICAST,
  ETHERTYPE_PPPOE_SESSION,
  ETHERTYPE_QINQ,
  ETHERTYPE_QINQ_OLD,
  ETHERTYPE_VLAN,
} from '../constants/wire.ts'
import type { DecodedBatch } from '../model/decoded-batch.ts'
import {
  LAYER_ARP,
  LAYER_ETHERTYPE,
  LAYER_IPV4,
  LAYER_IPV6,
  LAYER_LLC,
  LAYER_MPLS,
  LAYER_PPPOE,
  LAYER_UNKNOWN,
  LAYER_VLAN,
} from '../model/layer.ts'
import { FAULT_ETHERTYPE_LENGTH } from '../model/malformed.ts'
import { type Cursor, limit, noteFault } from './cursor.ts'

/** Above this and below ETHERTYPE_MIN a number is neither length nor type (IEEE 802.3 3.2.6). */
const MAX_LENGTH = 1500

/** The layer for the EtherType, or IEEE 802.3 length, in `cursor.next`. */
export function etherTypeLayer(cursor: Cursor, out: DecodedBatch, row: number): number {
  switch (cursor.next) {
    case ETHERTYPE_IPV4:
      return LAYER_IPV4
    case ETHERTYPE_IPV6:
      return LAYER_IPV6
    case ETHERTYPE_ARP:
      return LAYER_ARP
    case ETHERTYPE_VLAN:
    case ETHERTYPE_QINQ:
    case ETHERTYPE_QINQ_OLD:
      return LAYER_VLAN
    case ETHERTYPE_MPLS_UNICAST:
    case ETHERTYPE_MPLS_MULTICAST:
      return LAYER_MPLS
    case ETHERTYPE_PPPOE_SESSION:
      return LAYER_PPPOE
    default:
      return cursor.next <= MAX_LENGTH ? lengthLayer(cursor, out, row) : LAYER_UNKNOWN
  }
}

/** As etherTypeLayer, for headers whose field is never a length (GRE, Geneve, cooked). */
export function pureEtherTypeLayer(cursor: Cursor): number {
  return cursor.next < ETHERTYPE_MIN ? LAYER_UNKNOWN : LAYER_ETHERTYPE
}

function lengthLayer(cursor: Cursor, out: DecodedBatch, row: number): number {
  const endAt = cursor.at + cursor.next
  if (endAt > cursor.wireEndAt) noteFault(cursor, out, row, LAYER_ETHERTYPE, FAULT_ETHERTYPE_LENGTH)
  limit(cursor, endAt)
  return LAYER_LLC
}
