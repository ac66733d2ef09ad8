// HOT PATH. Bytes to columns: the protocol graph in one loop and one switch.
import { MAX_LAYERS, MAX_WIRE_LEN } from '../constants/limits.ts'
import { LINKTYPE_ETHERNET } from '../constants/wire.ts'
import { clearDecodedBatch, type DecodedBatch } from '../model/decoded-batch.ts'
import {
  LAYER_ARCNET,
  LAYER_ARP,
  LAYER_DNS,
  LAYER_DONE,
  LAYER_ERSPAN,
  LAYER_ETHERNET,
  LAYER_ETHERTYPE,
  LAYER_FRAGMENT,
  LAYER_GENEVE,
  LAYER_GRE,
  LAYER_GTP,
  LAYER_HDLC,
  LAYER_ICMPV4,
  LAYER_ICMPV6,
  LAYER_IP_EXTENSION,
  LAYER_IP_PROTOCOL,
  LAYER_IPV4,
  LAYER_IPV6,
  LAYER_L2TP,
  LAYER_LINK_TYPE,
  LAYER_LINUX_COOKED,
  LAYER_LINUX_COOKED_V2,
  LAYER_LLC,
  LAYER_LLMNR,
  LAYER_LOOPBACK,
  LAYER_MDNS,
  LAYER_MPLS,
  LAYER_NBNS,
  LAYER_NFLOG,
  LAYER_PKTAP,
  LAYER_PPP,
  LAYER_PPPOE,
  LAYER_QUIC,
  LAYER_RADIOTAP,
  LAYER_RAW_IP,
  LAYER_TCP,
  LAYER_TEREDO,
  LAYER_UDP,
  LAYER_VLAN,
  LAYER_VXLAN,
  LAYER_WLAN,
} from '../model/layer.ts'
import { FAULT_ENCAPSULATION_DEPTH } from '../model/malformed.ts'
import type { PacketBatch } from '../model/packet-batch.ts'
import { decodeArcnet } from './arcnet.ts'
import { decodeArp } from './arp.ts'
import { type Cursor, createCursor, noteFault } from './cursor.ts'
import { decodeDns } from './dns.ts'
import { decodeErspan } from './erspan.ts'
import { decodeEthernet } from './ethernet.ts'
import { etherTypeLayer } from './ethertype.ts'
import { decodeFragment } from './fragment.ts'
import { decodeGeneve } from './geneve.ts'
import { decodeGre } from './gre.ts'
import { decodeGtp } from './gtp.ts'
import { decodeIcmpv4 } from './icmpv4.ts'
import { decodeIcmpv6 } from './icmpv6.ts'
import { ipProtocolLayer } from './ip-protocol.ts'
import { decodeIpv4 } from './ipv4.ts'
import { decodeIpExtensions, decodeIpv6 } from './ipv6.ts'
import { decodeL2tp } from './l2tp.ts'
import { linkTypeLayer } from './link-type.ts'
import { decodeLinuxCooked, decodeLinuxCookedV2 } from './linux-cooked.ts'
import { decodeLlc } from './llc.ts'
import { decodeLoopback } from './loopback.ts'
import { decodeMpls } from './mpls.ts'
import { decodeNflog } from './nflog.ts'
import { decodePktap } from './pktap.ts'
import { decodeHdlc, decodePpp, decodePppoe } from './ppp.ts'
import { decodeQuic } from './quic.ts'
import { decodeRawIp } from './raw-ip.ts'
import { decodeTcp } from './tcp.ts'
import { decodeTeredo } from './teredo.ts'
import { decodeUdp } from './udp.ts'
import { decodeVlan } from './vlan.ts'
import { decodeVxlan } from './vxlan.ts'
import { decodeRadiotap, decodeWlan } from './wlan.ts'

/** Decodes every packet of `batch` into the same row of `out`. Never throws; keeps nothing between calls. */
export function decodeBatch(batch: PacketBatch, out: DecodedBatch): void {
  const cursor = sharedCursor
  clearDecodedBatch(out, batch.count)
  cursor.bytes = batch.bytes
  for (let row = 0; row < batch.count; row++) {
    const startAt = batch.startAt[row]!
    const capturedLen = batch.capturedLen[row]!
    const wireLen = batch.wireLen[row]!
    cursor.startAt = startAt
    cursor.at = startAt
    cursor.endAt = startAt + capturedLen
    // A capture that claims less than it holds is believed for what it holds.
    cursor.wireEndAt = startAt + min(max(wireLen, capturedLen), MAX_WIRE_LEN)
    const linkType = batch.linkType[row]!
    cursor.next = linkType
    decodeFrom(linkType === LINKTYPE_ETHERNET ? LAYER_ETHERNET : linkTypeLayer(linkType), cursor, out, row)
  }
}

/**
 * Follows the graph from `layer` to its end. Also the way in for what was reassembled: LAYER_IP_PROTOCOL with the
 * cursor on the datagram's data, `cursor.next` its protocol, and the row's IP columns set. The cases stand in the order
 * of how often they are taken: they are compared one after the other.
 */
export function decodeFrom(layer: number, cursor: Cursor, out: DecodedBatch, row: number): void {
  cursor.wrapper = 0
  for (let count = 0; layer !== LAYER_DONE; count++) {
    if (count === MAX_LAYERS) {
      noteFault(cursor, out, row, layer, FAULT_ENCAPSULATION_DEPTH)
      return
    }
    switch (layer) {
      case LAYER_IPV4:
        layer = decodeIpv4(cursor, out, row)
        break
      case LAYER_TCP:
        layer = decodeTcp(cursor, out, row)
        break
      case LAYER_UDP:
        layer = decodeUdp(cursor, out, row)
        break
      case LAYER_DNS:
      case LAYER_MDNS:
      case LAYER_LLMNR:
      case LAYER_NBNS:
        layer = decodeDns(cursor, out, row, layer)
        break
      case LAYER_QUIC:
        layer = decodeQuic(cursor, out, row)
        break
      case LAYER_ETHERNET:
        layer = decodeEthernet(cursor, out, row)
        break
      case LAYER_IPV6:
        layer = decodeIpv6(cursor, out, row)
        break
      case LAYER_IP_PROTOCOL:
        layer = ipProtocolLayer(cursor, out, row)
        break
      case LAYER_ETHERTYPE:
        layer = etherTypeLayer(cursor, out, row)
        break
      case LAYER_FRAGMENT:
        layer = decodeFragment(cursor, out, row)
        break
      case LAYER_ICMPV4:
        layer = decodeIcmpv4(cursor, out, row)
        break
      case LAYER_ICMPV6:
        layer = decodeIcmpv6(cursor, out, row)
        break
      case LAYER_ARP:
        layer = decodeArp(cursor, out, row)
        break
      case LAYER_RAW_IP:
        layer = decodeRawIp(cursor, out, row)
        break
      case LAYER_LINUX_COOKED:
        layer = decodeLinuxCooked(cursor, out, row)
        break
      case LAYER_LINUX_COOKED_V2:
        layer = decodeLinuxCookedV2(cursor, out, row)
        break
      case LAYER_VLAN:
        layer = decodeVlan(cursor, out, row)
        break
      case LAYER_PPPOE:
        layer = decodePppoe(cursor, out, row)
        break
      case LAYER_PPP:
        layer = decodePpp(cursor, out, row)
        break
      case LAYER_HDLC:
        layer = decodeHdlc(cursor, out, row)
        break
      case LAYER_LOOPBACK:
        layer = decodeLoopback(cursor, out, row)
        break
      case LAYER_LLC:
        layer = decodeLlc(cursor, out, row)
        break
      case LAYER_MPLS:
        layer = decodeMpls(cursor, out, row)
        break
      case LAYER_PKTAP:
        layer = decodePktap(cursor, out, row)
        break
      case LAYER_LINK_TYPE:
        layer = linkTypeLayer(cursor.next)
        break
      case LAYER_IP_EXTENSION:
        layer = decodeIpExtensions(cursor, out, row)
        break
      case LAYER_GRE:
        layer = decodeGre(cursor, out, row)
        break
      case LAYER_VXLAN:
        layer = decodeVxlan(cursor, out, row)
        break
      case LAYER_GENEVE:
        layer = decodeGeneve(cursor, out, row)
        break
      case LAYER_TEREDO:
        layer = decodeTeredo(cursor, out, row)
        break
      case LAYER_GTP:
        layer = decodeGtp(cursor, out, row)
        break
      case LAYER_ERSPAN:
        layer = decodeErspan(cursor, out, row)
        break
      case LAYER_L2TP:
        layer = decodeL2tp(cursor, out, row)
        break
      case LAYER_WLAN:
        layer = decodeWlan(cursor, out, row)
        break
      case LAYER_RADIOTAP:
        layer = decodeRadiotap(cursor, out, row)
        break
      case LAYER_NFLOG:
        layer = decodeNflog(cursor, out, row)
        break
      case LAYER_ARCNET:
        layer = decodeArcnet(cursor, out, row)
        break
      default:
        out.unknown[row] = 1
        out.unknownNumber[row] = cursor.next
        return
    }
  }
}

const sharedCursor = createCursor()
// Taken once: where the global object is a sandbox's, as under jest, each look at it costs a microsecond.
const { max, min } = Math
