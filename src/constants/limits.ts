// Numbers we chose, each with its reason. Everything that a packet or a file can make grow has its bound here.

/** Rows of a batch: 4,096 rows of all columns stay within the second-level cache of a small machine. */
export const BATCH_ROWS = 4096

/** Bytes a file reader holds at a time; larger reads gain nothing, smaller ones cost system calls. */
export const READ_CHUNK_LEN = 1 << 20

/** Bytes held of a file that is smaller, for it may grow while it is read. */
export const MIN_READ_LEN = 1 << 14

/** The longest packet a capture may hold; Wireshark's and libpcap's bound for ordinary link types. */
export const MAX_PACKET_LEN = 262_144

/** The longest pcapng block that is read as a whole; longer ones are skipped without being held. */
export const MAX_BLOCK_LEN = 16 << 20

/** Interfaces one input may declare; a real capture has dozens. */
export const MAX_INTERFACES = 4096

/** Encapsulations within encapsulations that are followed (RFC 2473 4.1.1 recommends 4 nested tunnels). */
export const MAX_ENCAPSULATION_DEPTH = 4

/**
 * The longest packet a record may claim to have been on the wire (jumbograms included). Offsets then stay below 2^31,
 * where the engine holds numbers without allocating.
 */
export const MAX_WIRE_LEN = 0x3fff_ffff

/** Layers followed in one packet: four tunnels with their Ethernet, VLAN and MPLS headers need about 40. */
export const MAX_LAYERS = 96

/** IPv6 extension headers followed in one packet; RFC 8200 4.1 orders at most 7. */
export const MAX_EXTENSION_HEADERS = 10

/** Distinct DNS names kept; later ones are counted as "other". A busy workstation asks some ten thousand in a day. */
export const MAX_NAMES = 1 << 19

/** Bytes of all kept names together: MAX_NAMES of the usual 30 bytes. */
export const MAX_NAME_BYTES = 16 << 20

/** Distinct addresses that DNS tables keep; later ones are counted as "other". */
export const MAX_ADDRESSES = 1 << 18

/**
 * DNS exchanges held until their network context is known (the tunnel's times stand at the end of a capture file).
 * At some 90 bytes each they cost 12 MB; the oldest is judged with what is known when the table is full.
 */
export const MAX_HELD_EXCHANGES = 1 << 17

/** A question is unanswered after this: resolvers wait 2 to 5 s before they ask again (RFC 1035 4.2.1). */
export const DNS_TIMEOUT_MICROS = 5_000_000

/** Addresses of one answer that are compared; a host name rarely has more than eight. */
export const MAX_ANSWER_ADDRESSES = 32

/** Different sets of answered addresses; at some 30 bytes each, 8 MB. */
export const MAX_ANSWER_SETS = 1 << 18

/** The same packet seen twice: copies on bridge and port, or in an all-interface capture, are this close (rules.md X12). */
export const DUPLICATE_MICROS = 2_000

/** A SYN without an answer for so long is silence: two repetitions (RFC 6298 2.1: 1 s, doubling). */
export const CONNECT_TIMEOUT_MICROS = 3_000_000

/** Opened connections held until their network context is known, 39 bytes each. */
export const MAX_HELD_CONNECTIONS = 1 << 16

/** Held exchanges, and connections, that a table has room for at first; it doubles. Most captures stay below. */
export const FIRST_HELD = 1 << 10

/** Silences of an interface shorter than this are never looked at: programs pause as long. */
export const SILENCE_MICROS = 300_000

/** Silences remembered per interface, the first ones. */
export const MAX_SILENCES = 4096

/** Bytes zlib unpacks at a time; larger chunks only cost memory. */
export const GUNZIP_CHUNK_LEN = 1 << 18

/** Packed bytes given to zlib at a time: what one error may lose. Smaller pieces cost a thread switch each. */
export const GUNZIP_PIECE_LEN = 1 << 14

/** The zstd window we hold: RFC 8878 3.1.1.1.2 recommends 8 MB, the most that zstd itself uses below --ultra. */
export const MAX_ZSTD_WINDOW_LEN = 8 << 20

/**
 * fzstd moves its whole window for every block: a full block of 128 KiB in the largest window moves 64 bytes for each
 * one that comes out. Twice that, after the first 4 GB (about a second), is an attack.
 */
export const ZSTD_WORK_PER_BYTE = 128
export const ZSTD_WORK_FLOOR = 4 * 2 ** 30

/** Interfaces of all inputs together: their ids are columns of 16 bits. */
export const MAX_RUN_INTERFACES = 65_535

/** Characters kept of an interface's name, description, comment or filter. */
export const MAX_OPTION_TEXT_LEN = 4096

/** Name resolution records kept from capture files; Wireshark writes one per address it shows. */
export const MAX_ANNEX_NAMES = 65_536

/** Bytes of TLS key logs kept from capture files: some 90,000 sessions. */
export const MAX_ANNEX_SECRETS_LEN = 16 << 20

/** Different findings of one run; more than a person can read, less than memory minds. */
export const MAX_FINDINGS = 10_000

/** Packets named as evidence of one finding: the first few show it, the count says the rest. */
export const MAX_EVIDENCE = 5

/** Names listed in one finding's data; `leaks` has them all. */
export const MAX_NAMES_IN_FINDING = 20

/** Different leaks (name, type, server, transport, interface) listed in a report. */
export const MAX_LEAKS = 50_000

/** Packets per interface from which we learn which addresses are the machine's own; a client shows it in a hundred. */
export const HOST_SAMPLE_PACKETS = 8192

/** Hosts remembered for that; a LAN has fewer, a scan has more. */
export const MAX_HOSTS = 1 << 14

/** Flows followed at once. At 136 bytes each, touched only when used, a full table costs 142 MB. */
export const MAX_FLOWS = 1 << 20

/** Flows followed at once by the daemon, which has to be a small guest: 18 MB. Beyond it the long idle make room. */
export const MAX_LIVE_FLOWS = 1 << 17

/** Flows a table begins with: what a quiet machine has, and small enough for the second-level cache. */
export const FIRST_FLOWS = 1024

/** A table of so many flows (9 MB) is not doubled but made as large as it may get: copying would need both at once. */
export const FLOW_DOUBLING_LIMIT = 1 << 16

/** Cells looked at for one flow. A half-full table needs 2; far more is somebody choosing colliding ports on purpose. */
export const MAX_FLOW_PROBES = 256

/** When the table is full, the longest idle of so many neighbours makes room: near the oldest, without a list of all. */
export const FLOW_EVICTION_SAMPLE = 32

/** A TCP connection idle for so long is over for us; Zeek's tcp_inactivity_timeout. */
export const TCP_IDLE_MICROS = 300_000_000

/** A closed connection still takes its last retransmissions: five doublings of the 1 s of RFC 6298 2.1. */
export const TCP_CLOSED_MICROS = 30_000_000

/** UDP and ICMP have no end; Zeek's udp_inactivity_timeout. */
export const DATAGRAM_IDLE_MICROS = 60_000_000

/** Twice as long as an answer is waited for; Zeek's dns_session_timeout. */
export const DNS_IDLE_MICROS = 10_000_000

/** How often idle flows are looked for: a look at a million takes a millisecond or two. */
export const FLOW_SWEEP_MICROS = 2_000_000

/** Below this a segment behind its successor is called out of order even on the fastest path; Wireshark's 3 ms. */
export const REORDERING_MICROS = 3_000

/** Connections whose content is being read at once; a browser has a few hundred. */
export const MAX_STREAMS = 8192

/** Bytes of one direction that wait for a missing segment: the window without scaling (RFC 9293 3.1). */
export const MAX_STREAM_HELD_LEN = 65_536

/** Bytes that wait in all connections together. */
export const MAX_STREAM_HELD_TOTAL = 32 << 20

/** Bytes of TLS records that wait for their end in all connections together that a key log opens: 1,800 full records. */
export const MAX_TLS_HELD_TOTAL = 32 << 20

/** What holding one piece costs beside its bytes. */
export const HELD_PIECE_COST = 128

/** Bytes of one direction after which a stream nobody recognised is nobody's. */
export const MAX_UNRECOGNISED_LEN = 4096

/** Pushes in which a connection seen from its middle may begin a message; later ones are not tried. */
export const MAX_RECOGNITION_TRIES = 64

/** Datagrams in reassembly at once; Linux holds what fits into 4 MB. */
export const MAX_FRAGMENT_SETS = 4096

/** Bytes in reassembly, pieces counted with what they cost. */
export const MAX_FRAGMENT_BYTES = 8 << 20

/** RFC 8200 4.5: 60 s after the first fragment came; RFC 1122 3.3.2: between 60 and 120 s. */
export const FRAGMENT_TIMEOUT_MICROS = 60_000_000

/** Reassembled datagrams that are fragments of a tunnelled datagram again. */
export const MAX_REASSEMBLY_DEPTH = 4

/**
 * Packets of several interfaces or inputs are sorted among this many, and this many bytes. dumpcap's queues are up to a
 * second apart: at 60,000 packets a second that is one window. Time itself is no bound: one wrong clock would end it.
 */
export const SORT_WINDOW_ROWS = 65_536
export const SORT_WINDOW_LEN = 16 << 20

/** Read buffers of all inputs that are merged together, and the least that one gets. */
export const MERGE_CHUNKS_LEN = 8 << 20
export const MERGE_CHUNK_MIN_LEN = 1 << 16

/** Rows of a batch of one of many merged inputs: a thousand inputs must fit in memory. */
export const MERGE_BATCH_ROWS = 1024

/** Routes kept of the kernel's tables; lists of a whole country's networks have 10,000, a router of the internet a million. */
export const MAX_ROUTES = 50_000

/** Epochs listed of one run: a network that changes every minute fills them in a week. Older ones are forgotten. */
export const MAX_EPOCHS = 10_000

/**
 * A tunnel that is away longer has been switched off; a shorter absence is a leak window. OpenVPN waits at most 300 s
 * between two attempts (--connect-retry-max's default), so two of its longest waits fit.
 */
export const MAX_RECONNECT_MICROS = 600_000_000

/** TCP connections whose acknowledgements are followed segment by segment; a browser has a few hundred. */
export const MAX_DELIVERIES = 8192

/** Those that there is room for at first, 336 bytes each. The pool doubles. */
export const FIRST_DELIVERIES = 128

/** Paths (destination and interface) with figures of their own; later ones share one that is not shown. */
export const MAX_PATHS = 4096

/** Those that there is room for at first, some 450 bytes each. The table doubles. */
export const FIRST_PATHS = 64

/** How often open gaps and silent connections are looked at, in packet time: well below the shortest deadline. */
export const DELIVERY_SCAN_MICROS = 100_000

/** RFC 6298 2.4 asks for 1 s at least, every sender of today uses 200 ms. Three doublings of it are 1.4 s. */
export const MIN_RTO_MICROS = 200_000
export const RTO_DOUBLINGS = 7

/** Segments lost this close to each other are one event: a queue of 64 KiB that overflows at 30 Mbit/s empties in that time. */
export const LOSS_EVENT_MICROS = 20_000

/** Retransmissions closer to each other were asked for by acknowledgements, not by a timer. */
export const MIN_TIMER_INTERVAL_MICROS = 150_000

/** A connection whose first request stays without an answer for so long is stalled, and when its client gives up earlier. */
export const STALL_MICROS = 5_000_000
export const GIVEN_UP_MICROS = 1_500_000

/** Connections to named sites followed at once, and those that wait for their epoch. */
export const MAX_OPEN_VISITS = 1 << 14

/** Sites times epochs of which something is kept, and connections kept of each: at some 300 bytes each, 20 MB. */
export const MAX_SITE_GROUPS = 1 << 13
export const MAX_VISITS_KEPT = 8

/** Connections of ours (`check`) that are kept whatever room their site has; more than it makes. */
export const MAX_OWN_VISITS = 64

/** Latest questions for addresses that connections find their name in; 45 bytes each. */
export const MAX_SITE_QUESTIONS = 1 << 16

/** Those that there is room for at first; the columns double. */
export const FIRST_SITE_QUESTIONS = 1 << 8

/** Answers with a CNAME or a reason for having no address that are read in full, one for each name and resolver. */
export const MAX_ANSWER_NOTES = 4096
