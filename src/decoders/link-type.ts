// HOT PATH. The link-type registry as far as we follow it: where decoding a packet begins.
import {
  LINKTYPE_C_HDLC,
  LINKTYPE_ETHERNET,
  LINKTYPE_IPV4,
  LINKTYPE_IPV6,
  LINKTYPE_LINUX_SLL,
  LINKTYPE_LINUX_SLL2,
  LINKTYPE_LOOP,
  LINKTYPE_NULL,
  LINKTYPE_PKTAP,
  LINKTYPE_PKTAP_PRIVATE,
  LINKTYPE_PPP,
  LINKTYPE_PPP_ETHER,
  LINKTYPE_PPP_HDLC,
  LINKTYPE_PPP_WITH_DIR,
  LINKTYPE_RAW,
  LINKTYPE_RAW_BSD,
  LINKTYPE_RAW_OPENBSD,
} from '../constants/wire.ts'
import {
  LAYER_ETHERNET,
  LAYER_HDLC,
  LAYER_IPV4,
  LAYER_IPV6,
  LAYER_LINUX_COOKED,
  LAYER_LINUX_COOKED_V2,
  LAYER_LOOPBACK,
  LAYER_PKTAP,
  LAYER_PPP,
  LAYER_PPPOE,
  LAYER_RAW_IP,
  LAYER_UNKNOWN,
} from '../model/layer.ts'

/** The layer of a packet's first byte. */
export function linkTypeLayer(linkType: number): number {
  switch (linkType) {
    case LINKTYPE_ETHERNET:
      return LAYER_ETHERNET
    case LINKTYPE_LINUX_SLL:
      return LAYER_LINUX_COOKED
    case LINKTYPE_LINUX_SLL2:
      return LAYER_LINUX_COOKED_V2
    case LINKTYPE_RAW:
    case LINKTYPE_RAW_BSD:
    case LINKTYPE_RAW_OPENBSD:
      return LAYER_RAW_IP
    case LINKTYPE_IPV4:
      return LAYER_IPV4
    case LINKTYPE_IPV6:
      return LAYER_IPV6
    case LINKTYPE_NULL:
    case LINKTYPE_LOOP:
      return LAYER_LOOPBACK
    case LINKTYPE_PPP:
    case LINKTYPE_PPP_WITH_DIR:
      return LAYER_PPP
    case LINKTYPE_PPP_HDLC:
    case LINKTYPE_C_HDLC:
      return LAYER_HDLC
    case LINKTYPE_PPP_ETHER:
      return LAYER_PPPOE
    case LINKTYPE_PKTAP:
    case LINKTYPE_PKTAP_PRIVATE:
      return LAYER_PKTAP
    default:
      return LAYER_UNKNOWN
  }
}
