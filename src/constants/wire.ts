// Numbers the world chose. Each group names the registry it comes from.

/** Link types, https://www.tcpdump.org/linktypes.html. A few have two numbers: the second is BSD's own. */
export const LINKTYPE_NULL = 0
export const LINKTYPE_ETHERNET = 1
export const LINKTYPE_ARCNET_BSD = 7
export const LINKTYPE_PPP = 9
export const LINKTYPE_RAW_BSD = 12
export const LINKTYPE_RAW_OPENBSD = 14
export const LINKTYPE_PPP_HDLC = 50
export const LINKTYPE_PPP_ETHER = 51
export const LINKTYPE_RAW = 101
export const LINKTYPE_C_HDLC = 104
export const LINKTYPE_IEEE802_11 = 105
export const LINKTYPE_LOOP = 108
export const LINKTYPE_LINUX_SLL = 113
export const LINKTYPE_IEEE802_11_RADIOTAP = 127
export const LINKTYPE_ARCNET_LINUX = 129
export const LINKTYPE_PKTAP_PRIVATE = 149
export const LINKTYPE_PPP_WITH_DIR = 204
export const LINKTYPE_IPV4 = 228
export const LINKTYPE_IPV6 = 229
export const LINKTYPE_NFLOG = 239
export const LINKTYPE_PKTAP = 258
export const LINKTYPE_LINUX_SLL2 = 276

/** Address families of BSD's loopback header: AF_INET is 2 everywhere, AF_INET6 differs (Linux, Windows, BSDs, macOS). */
export const AF_INET = 2
export const AF_INET6_LINUX = 10
export const AF_INET6_WINDOWS = 23
export const AF_INET6_OPENBSD = 24
export const AF_INET6_FREEBSD = 28
export const AF_INET6_DARWIN = 30

/** Linux hardware types, linux/if_arp.h. */
export const ARPHRD_ETHERNET = 1
export const ARPHRD_PPP = 512
export const ARPHRD_LOOPBACK = 772
/** No link layer: tun, WireGuard, IPsec interfaces. */
export const ARPHRD_NONE = 65_534

/** Linux hardware types whose cooked header carries no EtherType, https://www.tcpdump.org/linktypes/LINKTYPE_LINUX_SLL.html. */
export const ARPHRD_FRAD = 770
export const ARPHRD_IEEE80211_RADIOTAP = 803
export const ARPHRD_NETLINK = 824

/** A smaller number in the type field of Ethernet is a length (IEEE 802.3 3.2.6). */
export const ETHERTYPE_MIN = 0x0600

/** EtherTypes, https://www.iana.org/assignments/ieee-802-numbers. */
export const ETHERTYPE_IPV4 = 0x0800
export const ETHERTYPE_ARP = 0x0806
export const ETHERTYPE_ERSPAN_III = 0x22eb
export const ETHERTYPE_TRANSPARENT_ETHERNET = 0x6558
export const ETHERTYPE_VLAN = 0x8100
export const ETHERTYPE_PPP = 0x880b
export const ETHERTYPE_IPV6 = 0x86dd
export const ETHERTYPE_MPLS_UNICAST = 0x8847
export const ETHERTYPE_MPLS_MULTICAST = 0x8848
export const ETHERTYPE_PPPOE_DISCOVERY = 0x8863
export const ETHERTYPE_PPPOE_SESSION = 0x8864
export const ETHERTYPE_QINQ = 0x88a8
/** Types I and II. */
export const ETHERTYPE_ERSPAN = 0x88be
export const ETHERTYPE_QINQ_OLD = 0x9100

/** ARCnet protocol ids, https://www.arcnet.cc/resources/ARCnetIDs.htm; those of RFC 1051 are the old ones. */
export const ARCNET_IPV6 = 0xc4
export const ARCNET_IPV4 = 0xd4
export const ARCNET_ARP = 0xd5
export const ARCNET_IPV4_OLD = 0xf0
export const ARCNET_ARP_OLD = 0xf1

/** PPP protocol numbers, https://www.iana.org/assignments/ppp-numbers. */
export const PPP_IPV4 = 0x0021
export const PPP_IPV6 = 0x0057
export const PPP_MPLS_UNICAST = 0x0281
export const PPP_MPLS_MULTICAST = 0x0283

/** Protocol numbers, https://www.iana.org/assignments/protocol-numbers. */
export const IPPROTO_HOPOPTS = 0
export const IPPROTO_ICMP = 1
export const IPPROTO_IPIP = 4
export const IPPROTO_TCP = 6
export const IPPROTO_UDP = 17
export const IPPROTO_IPV6 = 41
export const IPPROTO_ROUTING = 43
export const IPPROTO_FRAGMENT = 44
export const IPPROTO_GRE = 47
export const IPPROTO_ESP = 50
export const IPPROTO_AH = 51
export const IPPROTO_ICMPV6 = 58
export const IPPROTO_NONE = 59
export const IPPROTO_DSTOPTS = 60
export const IPPROTO_IPCOMP = 108
export const IPPROTO_SCTP = 132
export const IPPROTO_MOBILITY = 135
export const IPPROTO_HIP = 139
export const IPPROTO_SHIM6 = 140

/** TCP header flags, RFC 9293 3.1. */
export const TCP_FIN = 0x01
export const TCP_SYN = 0x02
export const TCP_RST = 0x04
export const TCP_PSH = 0x08
export const TCP_ACK = 0x10
export const TCP_URG = 0x20
export const TCP_ECE = 0x40
export const TCP_CWR = 0x80

/** TCP option kinds, https://www.iana.org/assignments/tcp-parameters. */
export const TCPOPT_END = 0
export const TCPOPT_NOP = 1
export const TCPOPT_MSS = 2
export const TCPOPT_WINDOW_SCALE = 3
export const TCPOPT_SACK_PERMITTED = 4
export const TCPOPT_SACK = 5
export const TCPOPT_TIMESTAMPS = 8

/** ICMP types and codes, https://www.iana.org/assignments/icmp-parameters and icmpv6-parameters. */
export const ICMP_ECHO_REPLY = 0
export const ICMP_UNREACHABLE = 3
export const ICMP_SOURCE_QUENCH = 4
export const ICMP_PORT_UNREACHABLE = 3
export const ICMP_FRAGMENTATION_NEEDED = 4
export const ICMP_REDIRECT = 5
export const ICMP_ECHO_REQUEST = 8
export const ICMP_TIME_EXCEEDED = 11
export const ICMP_PARAMETER_PROBLEM = 12
export const ICMPV6_UNREACHABLE = 1
export const ICMPV6_PORT_UNREACHABLE = 4
export const ICMPV6_PACKET_TOO_BIG = 2
export const ICMPV6_TIME_EXCEEDED = 3
export const ICMPV6_PARAMETER_PROBLEM = 4
export const ICMPV6_ECHO_REQUEST = 128
export const ICMPV6_ECHO_REPLY = 129

/** Ports, https://www.iana.org/assignments/service-names-port-numbers. A port is a hint, never a proof. */
export const PORT_DNS = 53
export const PORT_DHCP_SERVER = 67
export const PORT_DHCP_CLIENT = 68
export const PORT_HTTP = 80
export const PORT_NBNS = 137
export const PORT_HTTPS = 443
export const PORT_IKE = 500
export const PORT_DNS_OVER_TLS = 853
export const PORT_L2TP = 1701
export const PORT_GTP = 2152
export const PORT_TEREDO = 3544
export const PORT_IPSEC_NAT_T = 4500
export const PORT_VXLAN = 4789
export const PORT_VXLAN_GPE = 4790
/** Linux' own default before the registration. */
export const PORT_VXLAN_LINUX = 8472
export const PORT_MDNS = 5353
export const PORT_LLMNR = 5355
export const PORT_GENEVE = 6081

/** DNS header, RFC 1035 4.1.1. */
export const DNS_HEADER_LEN = 12
export const DNS_FLAG_QR = 0x8000
export const DNS_FLAG_AA = 0x0400
export const DNS_FLAG_TC = 0x0200
export const DNS_FLAG_RD = 0x0100
export const DNS_FLAG_RA = 0x0080

/** DNS record types the engine itself looks at, https://www.iana.org/assignments/dns-parameters. */
export const DNS_TYPE_A = 1
export const DNS_TYPE_CNAME = 5
export const DNS_TYPE_PTR = 12
export const DNS_TYPE_AAAA = 28
export const DNS_TYPE_OPT = 41
export const DNS_TYPE_SVCB = 64
export const DNS_TYPE_HTTPS = 65

/** DNS response codes, RFC 1035 4.1.1 and RFC 2136. */
export const DNS_NOERROR = 0
export const DNS_SERVFAIL = 2
export const DNS_NXDOMAIN = 3
export const DNS_REFUSED = 5
