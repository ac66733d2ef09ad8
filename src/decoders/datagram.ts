// HOT PATH. What a UDP payload is. Ports choose the candidate, the candidate's own decoder checks the content.
import {
  PORT_DNS,
  PORT_GENEVE,
  PORT_GTP,
  PORT_L2TP,
  PORT_LLMNR,
  PORT_MDNS,
  PORT_NBNS,
  PORT_TEREDO,
  PORT_VXLAN,
  PORT_VXLAN_GPE,
  PORT_VXLAN_LINUX,
} from '../constants/wire.ts'
import type { DecodedBatch } from '../model/decoded-batch.ts'
import {
  LAYER_DNS,
  LAYER_DONE,
  LAYER_GENEVE,
  LAYER_GTP,
  LAYER_L2TP,
  LAYER_LLMNR,
  LAYER_MDNS,
  LAYER_NBNS,
  LAYER_QUIC,
  LAYER_TEREDO,
  LAYER_VXLAN,
} from '../model/layer.ts'
import type { Cursor } from './cursor.ts'
import { looksLikeDns } from './dns.ts'
import { isGeneve } from './geneve.ts'
import { isGtp } from './gtp.ts'
import { isL2tpData } from './l2tp.ts'
import { isQuic } from './quic.ts'
import { isTeredo } from './teredo.ts'
import { isVxlan } from './vxlan.ts'

/** The layer to try on the datagram under the cursor, LAYER_DONE when it is opaque to us. */
export function datagramLayer(cursor: Cursor, out: DecodedBatch, row: number): number {
  if (cursor.at >= cursor.endAt) return LAYER_DONE
  const srcPort = out.srcPort[row]!
  const dstPort = out.dstPort[row]!
  if (dstPort === PORT_DNS || srcPort === PORT_DNS) return LAYER_DNS
  if (dstPort === PORT_MDNS || srcPort === PORT_MDNS) return LAYER_MDNS
  if (dstPort === PORT_LLMNR || srcPort === PORT_LLMNR) return LAYER_LLMNR
  if (dstPort === PORT_NBNS || srcPort === PORT_NBNS) return LAYER_NBNS
  if (isVxlanPort(dstPort) && isVxlan(cursor)) return LAYER_VXLAN
  if (dstPort === PORT_GENEVE && isGeneve(cursor)) return LAYER_GENEVE
  if (dstPort === PORT_GTP && isGtp(cursor)) return LAYER_GTP
  if ((dstPort === PORT_L2TP || srcPort === PORT_L2TP) && isL2tpData(cursor)) return LAYER_L2TP
  if ((dstPort === PORT_TEREDO || srcPort === PORT_TEREDO) && isTeredo(cursor)) return LAYER_TEREDO
  if (isQuic(cursor)) return LAYER_QUIC
  return looksLikeDns(cursor) ? LAYER_DNS : LAYER_DONE
}

function isVxlanPort(port: number): boolean {
  return port === PORT_VXLAN || port === PORT_VXLAN_LINUX || port === PORT_VXLAN_GPE
}
