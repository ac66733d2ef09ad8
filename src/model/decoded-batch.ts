// Decoded packets as columns: one typed array per field, same row as the PacketBatch. Allocated once, cleared per batch.
// A row describes the innermost IP packet; what was wrapped around it is told by the encapsulation columns.
import { BATCH_ROWS } from '../constants/limits.ts'

/** Bits of `flags`. */
export const ROW_DF = 0x0001
export const ROW_MF = 0x0002
/** IP fragment: offset > 0 or more fragments follow. */
export const ROW_FRAGMENT = 0x0004
/** IPv6 atomic fragment (RFC 6946): a fragment header with offset 0 and M = 0. */
export const ROW_ATOMIC_FRAGMENT = 0x0008
/** The packet is longer than what was captured and a decoder needed the missing part. */
export const ROW_CUT = 0x0010
/** The row's IP packet was found inside another IP packet (IPIP, GRE, VXLAN …). */
export const ROW_INNER = 0x0020
/** The length field was 0 because the capture was taken before segmentation offload filled it. */
export const ROW_OFFLOAD_LENGTH = 0x0040
export const ROW_TCP_SACK_PERMITTED = 0x0080
export const ROW_TCP_TIMESTAMPS = 0x0100
/** The row was reassembled by us from fragments; its bytes are not one captured packet. */
export const ROW_REASSEMBLED = 0x0200
/** ARP, or the link layer says broadcast or multicast. */
export const ROW_GROUP_ADDRESSED = 0x0400
/** The link layer's own header (cooked, PPP with direction, PKTAP) says that this machine sent, or received, the packet. */
export const ROW_SENT = 0x0800
export const ROW_RECEIVED = 0x1000

/** Value of `tcpWindowScale` when the option was absent. */
export const NO_WINDOW_SCALE = 255

/**
 * `…At` columns are offsets into the PacketBatch's `bytes`; 0 in `ipAt`, `transportAt`, `quotedAt`, `sackAt`,
 * `dnsAt`, `outerIpAt` with the matching length, version or layer column 0 means "not there".
 */
export interface DecodedBatch {
  readonly capacity: number
  /** The last layer that was reached and understood (LAYER_*). */
  readonly layer: Uint8Array
  /** EtherType, IP protocol or link type that stopped us when `layer` is LAYER_UNKNOWN's parent; 0 otherwise. */
  readonly unknownNumber: Uint16Array
  /** 1 when something followed that we do not decode. */
  readonly unknown: Uint8Array
  /** FAULT_*: the first fault wins. */
  readonly fault: Uint8Array
  /** Offset of the fault from the packet's first byte. */
  readonly faultAt: Uint32Array
  /** The layer in which the fault was found (LAYER_*). */
  readonly faultLayer: Uint8Array
  /** ROW_*. */
  readonly flags: Uint16Array
  readonly vlanId: Uint16Array

  /** 4, 6, or 0 when there is no IP packet. */
  readonly ipVersion: Uint8Array
  /**
   * Eight words a row: source in [8·row .. +4), destination in [8·row+4 .. +8). Words are big-endian numbers;
   * IPv4 is mapped (0, 0, 0xffff, address) so that one key fits all.
   */
  readonly addresses: Uint32Array
  readonly ipAt: Uint32Array
  /** Length of the IP packet by its own header, header included (bytes on the wire). */
  readonly ipLen: Uint32Array
  readonly ttl: Uint8Array
  /** Upper-layer protocol after all extension headers. */
  readonly ipProtocol: Uint8Array
  /** IPv4 identification or the IPv6 fragment header's. */
  readonly ipId: Uint32Array
  /** Bytes. */
  readonly fragmentOffset: Uint16Array

  /** First byte of the TCP, UDP, ICMP header, or of the fragment's data. */
  readonly transportAt: Uint32Array
  readonly srcPort: Uint16Array
  readonly dstPort: Uint16Array
  readonly payloadAt: Uint32Array
  /** Payload bytes that were captured. */
  readonly payloadLen: Uint32Array
  /** Payload bytes on the wire by the length fields; ≥ payloadLen. */
  readonly payloadWireLen: Uint32Array

  readonly tcpSeq: Uint32Array
  readonly tcpAck: Uint32Array
  /** TCP_*. */
  readonly tcpFlags: Uint8Array
  readonly tcpWindow: Uint16Array
  /** 0 when absent. */
  readonly tcpMss: Uint16Array
  /** NO_WINDOW_SCALE when absent. */
  readonly tcpWindowScale: Uint8Array
  /** First SACK block; sackCount blocks of 8 bytes follow. */
  readonly sackAt: Uint32Array
  readonly sackCount: Uint8Array

  readonly icmpType: Uint8Array
  readonly icmpCode: Uint8Array
  /** Next-hop MTU of a "too big" message, 0 otherwise. */
  readonly icmpMtu: Uint32Array
  /** The IP header quoted by an ICMP error; 0 when none. */
  readonly quotedAt: Uint32Array

  /** Encapsulations that were opened on the way to this packet. */
  readonly depth: Uint8Array
  /** LAYER_* of the outermost encapsulation (IPv4 or IPv6 for IPIP, 6in4, 4in6); 0 when depth is 0. */
  readonly outerLayer: Uint8Array
  /** The outermost IP header when depth > 0. */
  readonly outerIpAt: Uint32Array

  /** The DNS message's header, and where the message ends. */
  readonly dnsAt: Uint32Array
  readonly dnsEndAt: Uint32Array
  readonly dnsId: Uint16Array
  /** The 16 flag bits of RFC 1035 4.1.1: QR, opcode, AA, TC, RD, RA, Z, AD, CD, rcode. */
  readonly dnsFlags: Uint16Array
  /** Number of questions the header claims. */
  readonly dnsQuestions: Uint16Array
  /** Type and class of the first question; 0 when there is none. */
  readonly dnsType: Uint16Array
  readonly dnsClass: Uint16Array
  /** 32-bit hash of the first question's name in lower case wire form. Equal names have equal hashes; compare bytes too. */
  readonly dnsNameHash: Uint32Array
}

/** Allocates all columns once. */
export function createDecodedBatch(rows: number = BATCH_ROWS): DecodedBatch {
  const u8 = () => new Uint8Array(rows)
  const u16 = () => new Uint16Array(rows)
  const u32 = () => new Uint32Array(rows)
  return {
    capacity: rows,
    layer: u8(),
    unknownNumber: u16(),
    unknown: u8(),
    fault: u8(),
    faultAt: u32(),
    faultLayer: u8(),
    flags: u16(),
    vlanId: u16(),
    ipVersion: u8(),
    addresses: new Uint32Array(rows * 8),
    ipAt: u32(),
    ipLen: u32(),
    ttl: u8(),
    ipProtocol: u8(),
    ipId: u32(),
    fragmentOffset: u16(),
    transportAt: u32(),
    srcPort: u16(),
    dstPort: u16(),
    payloadAt: u32(),
    payloadLen: u32(),
    payloadWireLen: u32(),
    tcpSeq: u32(),
    tcpAck: u32(),
    tcpFlags: u8(),
    tcpWindow: u16(),
    tcpMss: u16(),
    tcpWindowScale: u8(),
    sackAt: u32(),
    sackCount: u8(),
    icmpType: u8(),
    icmpCode: u8(),
    icmpMtu: u32(),
    quotedAt: u32(),
    depth: u8(),
    outerLayer: u8(),
    outerIpAt: u32(),
    dnsAt: u32(),
    dnsEndAt: u32(),
    dnsId: u16(),
    dnsFlags: u16(),
    dnsQuestions: u16(),
    dnsType: u16(),
    dnsClass: u16(),
    dnsNameHash: u32(),
  }
}

/** Sets rows 0 … count of every column back to zero, so that a shorter packet shows nothing of an older one. */
export function clearDecodedBatch(out: DecodedBatch, count: number): void {
  if (count === 1) {
    // What is put together ourselves comes row by row, and fifty calls would cost more than the rest of it.
    for (const column of columnsOf(out)) column[0] = 0
    for (let word = 1; word < 8; word++) out.addresses[word] = 0
    return
  }
  for (const column of columnsOf(out)) {
    column.fill(0, 0, column === out.addresses ? count * 8 : count)
  }
}

const columnLists = new WeakMap<DecodedBatch, (Uint8Array | Uint16Array | Uint32Array)[]>()

function columnsOf(out: DecodedBatch): (Uint8Array | Uint16Array | Uint32Array)[] {
  let columns = columnLists.get(out)
  if (columns === undefined) {
    columns = Object.values(out).filter((value) => typeof value === 'object') as Uint8Array[]
    columnLists.set(out, columns)
  }
  return columns
}
