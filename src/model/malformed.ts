// What can be wrong with a packet: a number in a column, never an exception. A number once released is never reused.

export const FAULT_NONE = 0
/** The bytes end before the header does although the length fields say otherwise (not our snap length's doing). */
export const FAULT_TRUNCATED = 1
export const FAULT_ETHERTYPE_LENGTH = 2
export const FAULT_IP_VERSION = 3
export const FAULT_IPV4_HEADER_LENGTH = 4
export const FAULT_IPV4_TOTAL_LENGTH = 5
export const FAULT_IPV6_PAYLOAD_LENGTH = 6
export const FAULT_IPV6_EXTENSION_CHAIN = 7
export const FAULT_FRAGMENT_RANGE = 8
export const FAULT_TCP_DATA_OFFSET = 9
export const FAULT_TCP_OPTION_LENGTH = 10
export const FAULT_UDP_LENGTH = 11
export const FAULT_ICMP_SHORT = 12
export const FAULT_ENCAPSULATION_DEPTH = 13
export const FAULT_GRE_VERSION = 14
export const FAULT_DNS_SHORT = 15
export const FAULT_DNS_NAME_POINTER = 16
export const FAULT_DNS_NAME_LENGTH = 17
export const FAULT_DNS_LABEL_TYPE = 18
export const FAULT_DNS_RECORD_LENGTH = 19
export const FAULT_DNS_COUNT = 20
export const FAULT_LINK_HEADER = 21

/** One word per fault, by number, for reports; index = FAULT_*. */
export const FAULT_NAMES: readonly string[] = Object.freeze([
  'none',
  'truncated',
  'ethertype-length',
  'ip-version',
  'ipv4-header-length',
  'ipv4-total-length',
  'ipv6-payload-length',
  'ipv6-extension-chain',
  'fragment-range',
  'tcp-data-offset',
  'tcp-option-length',
  'udp-length',
  'icmp-short',
  'encapsulation-depth',
  'gre-version',
  'dns-short',
  'dns-name-pointer',
  'dns-name-length',
  'dns-label-type',
  'dns-record-length',
  'dns-count',
  'link-header',
])
