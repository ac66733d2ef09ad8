// Cold path. The packet an ICMP error quotes (RFC 792, RFC 4443 3): often cut after its first bytes, so each field may be missing.

import { MAX_EXTENSION_HEADERS } from '../constants/limits.ts'
import {
  IPPROTO_DSTOPTS,
  IPPROTO_FRAGMENT,
  IPPROTO_HOPOPTS,
  IPPROTO_ROUTING,
  IPPROTO_SCTP,
  IPPROTO_TCP,
  IPPROTO_UDP,
} from '../constants/wire.ts'
import { bytesAddressText } from './address.ts'
import { u16 } from './binary-text.ts'

/** Absent = not quoted far enough, or no ports in this protocol. */
export interface QuotedText {
  srcAddress: string
  dstAddress: string
  ipProtocol: number
  srcPort?: number
  dstPort?: number
}

const IPV4_HEADER_LEN = 20
const IPV6_HEADER_LEN = 40

/** Reads the IP packet quoted in [at, endAt); undefined when its addresses are not there. Never throws. */
export function readQuotedText(bytes: Uint8Array, at: number, endAt: number): QuotedText | undefined {
  if (endAt - at < IPV4_HEADER_LEN) return undefined
  const version = bytes[at]! >> 4
  if (version === 4) {
    const quoted: QuotedText = {
      srcAddress: bytesAddressText(bytes, at + 12, 4),
      dstAddress: bytesAddressText(bytes, at + 16, 4),
      ipProtocol: bytes[at + 9]!,
    }
    // Only a first fragment starts with the transport header.
    if ((u16(bytes, at + 6) & 0x1fff) === 0) readPorts(bytes, at + ((bytes[at]! & 0x0f) << 2), endAt, quoted)
    return quoted
  }
  if (version !== 6 || endAt - at < IPV6_HEADER_LEN) return undefined
  const quoted: QuotedText = {
    srcAddress: bytesAddressText(bytes, at + 8, 16),
    dstAddress: bytesAddressText(bytes, at + 24, 16),
    ipProtocol: bytes[at + 6]!,
  }
  const transportAt = skipExtensions(bytes, at + IPV6_HEADER_LEN, endAt, quoted)
  if (transportAt >= 0) readPorts(bytes, transportAt, endAt, quoted)
  return quoted
}

function readPorts(bytes: Uint8Array, at: number, endAt: number, quoted: QuotedText): void {
  const { ipProtocol } = quoted
  if (ipProtocol !== IPPROTO_TCP && ipProtocol !== IPPROTO_UDP && ipProtocol !== IPPROTO_SCTP) return
  if (endAt - at < 4) return
  quoted.srcPort = u16(bytes, at)
  quoted.dstPort = u16(bytes, at + 2)
}

/** RFC 8200 4. Returns where the upper-layer header is, −1 when it is not quoted or not in this fragment. */
function skipExtensions(bytes: Uint8Array, at: number, endAt: number, quoted: QuotedText): number {
  for (let left = MAX_EXTENSION_HEADERS; left > 0; left--) {
    const header = quoted.ipProtocol
    const generic = header === IPPROTO_HOPOPTS || header === IPPROTO_ROUTING || header === IPPROTO_DSTOPTS
    if (!generic && header !== IPPROTO_FRAGMENT) return at
    if (endAt - at < 8) return -1
    quoted.ipProtocol = bytes[at]!
    if (header === IPPROTO_FRAGMENT && (u16(bytes, at + 2) & 0xfff8) !== 0) return -1
    at += generic ? (bytes[at + 1]! + 1) << 3 : 8
  }
  return -1
}
