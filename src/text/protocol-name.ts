// Cold path. Names of IP protocols as Suricata and /etc/protocols write them, https://www.iana.org/assignments/protocol-numbers.

const PROTOCOL_NAMES: Readonly<Record<number, string>> = Object.freeze({
  0: 'HOPOPT',
  1: 'ICMP',
  2: 'IGMP',
  4: 'IPv4',
  6: 'TCP',
  17: 'UDP',
  41: 'IPv6',
  43: 'IPv6-Route',
  44: 'IPv6-Frag',
  46: 'RSVP',
  47: 'GRE',
  50: 'ESP',
  51: 'AH',
  58: 'IPv6-ICMP',
  59: 'IPv6-NoNxt',
  60: 'IPv6-Opts',
  88: 'EIGRP',
  89: 'OSPF',
  103: 'PIM',
  108: 'IPComp',
  112: 'VRRP',
  115: 'L2TP',
  132: 'SCTP',
  136: 'UDPLite',
  137: 'MPLS-in-IP',
})

/** `TCP`, `IPv6-ICMP`, … or the number, three digits wide as EVE writes it. */
export function protocolName(ipProtocol: number): string {
  return PROTOCOL_NAMES[ipProtocol] ?? String(ipProtocol).padStart(3, '0')
}
