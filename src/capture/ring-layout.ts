// Where the fields of a TPACKET_V3 ring stand, in bytes (linux/if_packet.h: tpacket_block_desc, tpacket3_hdr and, after
// it, sockaddr_ll). All multi-byte fields are in the machine's order but for the protocol. A test compares every value
// with the addon's own.

/** In a block, from its first byte. */
export const BLOCK_STATUS_AT = 8
export const BLOCK_PACKET_COUNT_AT = 12
export const BLOCK_FIRST_FRAME_AT = 16

/** In a frame, from its first byte. */
export const FRAME_NEXT_OFFSET_AT = 0
export const FRAME_SECONDS_AT = 4
export const FRAME_NANOSECONDS_AT = 8
export const FRAME_CAPTURED_LEN_AT = 12
export const FRAME_WIRE_LEN_AT = 16
export const FRAME_NETWORK_OFFSET_AT = 26
/** Big-endian. */
export const FRAME_PROTOCOL_AT = 50
export const FRAME_INTERFACE_INDEX_AT = 52
export const FRAME_HARDWARE_TYPE_AT = 56
export const FRAME_PACKET_TYPE_AT = 58

/** Who owns a block. */
export const BLOCK_STATUS_KERNEL = 0
export const BLOCK_STATUS_USER = 1

/** `sll_pkttype` of a packet that this machine sends. */
export const FRAME_PACKET_TYPE_OUTGOING = 4

/** Bytes of one classic BPF instruction (linux/filter.h: sock_filter). */
export const FILTER_INSTRUCTION_LEN = 8
