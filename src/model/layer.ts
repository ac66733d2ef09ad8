// The protocol graph's nodes. A decoder returns the layer that comes next; decode-batch follows it.

/** Nothing follows that we decode: the row is finished. */
export const LAYER_DONE = 0
/** Something follows that we do not decode; `unknownNumber` says which number it had in its registry. */
export const LAYER_UNKNOWN = 1
export const LAYER_ETHERNET = 2
export const LAYER_ETHERTYPE = 3
export const LAYER_VLAN = 4
export const LAYER_MPLS = 5
export const LAYER_LINUX_COOKED = 6
export const LAYER_LINUX_COOKED_V2 = 7
export const LAYER_LOOPBACK = 8
export const LAYER_RAW_IP = 9
export const LAYER_PPP = 10
export const LAYER_HDLC = 11
export const LAYER_PPPOE = 12
export const LAYER_PKTAP = 13
export const LAYER_ARP = 14
export const LAYER_IPV4 = 15
export const LAYER_IPV6 = 16
export const LAYER_IP_PROTOCOL = 17
export const LAYER_GRE = 18
export const LAYER_VXLAN = 19
export const LAYER_GENEVE = 20
export const LAYER_TEREDO = 21
export const LAYER_TCP = 22
export const LAYER_UDP = 23
export const LAYER_ICMPV4 = 24
export const LAYER_ICMPV6 = 25
export const LAYER_DNS = 26
export const LAYER_MDNS = 27
export const LAYER_LLMNR = 28
export const LAYER_NBNS = 29
export const LAYER_QUIC = 30
export const LAYER_FRAGMENT = 31
export const LAYER_LINK_TYPE = 32
export const LAYER_LLC = 33
export const LAYER_IP_EXTENSION = 34
export const LAYER_GTP = 35
export const LAYER_RADIOTAP = 36
export const LAYER_WLAN = 37
export const LAYER_NFLOG = 38
export const LAYER_ARCNET = 39
export const LAYER_ERSPAN = 40
export const LAYER_L2TP = 41

/** One word per layer, by number, for counters and packet lines; index = LAYER_*. */
export const LAYER_NAMES: readonly string[] = Object.freeze([
  'done',
  'unknown',
  'ethernet',
  'ethertype',
  'vlan',
  'mpls',
  'linux-cooked',
  'linux-cooked-v2',
  'loopback',
  'raw-ip',
  'ppp',
  'hdlc',
  'pppoe',
  'pktap',
  'arp',
  'ipv4',
  'ipv6',
  'ip-protocol',
  'gre',
  'vxlan',
  'geneve',
  'teredo',
  'tcp',
  'udp',
  'icmpv4',
  'icmpv6',
  'dns',
  'mdns',
  'llmnr',
  'nbns',
  'quic',
  'fragment',
  'link-type',
  'llc',
  'ip-extension',
  'gtp',
  'radiotap',
  'wlan',
  'nflog',
  'arcnet',
  'erspan',
  'l2tp',
])
