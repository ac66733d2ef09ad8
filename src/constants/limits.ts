// Numbers we chose, each with its reason. Everything that a packet or a file can make grow has its bound here.

/** Rows of a batch: 4,096 rows of all columns stay within the second-level cache of a small machine. */
export const BATCH_ROWS = 4096

/** Bytes a file reader holds at a time; larger reads gain nothing, smaller ones cost system calls. */
export const READ_CHUNK_LEN = 1 << 20

/** The longest packet a capture may hold; Wireshark's and libpcap's bound for ordinary link types. */
export const MAX_PACKET_LEN = 262_144

/** The longest pcapng block that is read as a whole; longer ones are skipped without being held. */
export const MAX_BLOCK_LEN = 16 << 20

/** Interfaces one input may declare; a real capture has dozens. */
export const MAX_INTERFACES = 4096

/** Encapsulations within encapsulations that are followed (RFC 2473 4.1.1 recommends 4 nested tunnels). */
export const MAX_ENCAPSULATION_DEPTH = 4

/** IPv6 extension headers followed in one packet; RFC 8200 4.1 orders at most 7. */
export const MAX_EXTENSION_HEADERS = 10
