// Cold path. A whole DNS message as an object: header and all sections, as far as they can be read.
import {
  DNS_FLAG_AA,
  DNS_FLAG_QR,
  DNS_FLAG_RA,
  DNS_FLAG_RD,
  DNS_FLAG_TC,
  DNS_HEADER_LEN,
  DNS_TYPE_OPT,
} from '../constants/wire.ts'
import { LAYER_DNS, LAYER_MDNS, LAYER_NBNS } from '../model/layer.ts'
import { FAULT_DNS_COUNT, FAULT_DNS_RECORD_LENGTH, FAULT_DNS_SHORT } from '../model/malformed.ts'
import { u16, u32 } from './binary-text.ts'
import type { DnsData } from './dns-data.ts'
import { createNameMemo, type NameReading, readName } from './dns-name.ts'
import { type DnsMessageBytes, readData, readNetbios } from './dns-rdata.ts'
import { netbiosName } from './netbios-name.ts'

const DNS_FLAG_Z = 0x0040
const DNS_FLAG_AD = 0x0020
const DNS_FLAG_CD = 0x0010
/** RFC 6762 10.2 and 18.12: cache-flush of a record, unicast-response of a question. */
const MDNS_TOP_BIT = 0x8000
const NBNS_TYPE_NB = 32

export interface DnsQuestion {
  /** Presentation form with escapes, case kept, no final dot; '' is the root. */
  name: string
  type: number
  class: number
  /** mDNS QU, RFC 6762 5.4. */
  unicastResponse: boolean
}

export interface DnsRecord {
  name: string
  type: number
  /** OPT: the requestor's UDP payload size (RFC 6891 6.1.2). */
  class: number
  /** Seconds. OPT: extended rcode, version and flags. */
  ttl: number
  /** mDNS, RFC 6762 10.2. */
  cacheFlush: boolean
  data: DnsData
}

export interface DnsMessage {
  id: number
  /** The 16 flag bits of RFC 1035 4.1.1. */
  flags: number
  response: boolean
  opcode: number
  authoritative: boolean
  truncated: boolean
  recursionDesired: boolean
  recursionAvailable: boolean
  reserved: boolean
  authenticData: boolean
  checkingDisabled: boolean
  /** With the upper eight bits of an OPT record, RFC 6891 6.1.3. */
  rcode: number
  queries: DnsQuestion[]
  answers: DnsRecord[]
  authorities: DnsRecord[]
  additionals: DnsRecord[]
  /** FAULT_DNS_* where reading stopped, or 0; what stood before it is in the sections. */
  fault: number
  /** Offset of the fault from the message's first byte. */
  faultAt: number
}

/**
 * Reads the message in [at, endAt) of `bytes`. `layer` (LAYER_DNS, LAYER_MDNS, LAYER_LLMNR, LAYER_NBNS) decides how
 * class bits and NetBIOS names are read. Never throws; work is linear in the message whatever its counts and pointers
 * say. Undefined only when there is no whole header. `onlyTypes`: records of other types come without their data.
 */
export function readDnsMessage(
  bytes: Uint8Array,
  at: number,
  endAt: number,
  layer: number = LAYER_DNS,
  onlyTypes?: readonly number[],
): DnsMessage | undefined {
  if (endAt - at < DNS_HEADER_LEN) return undefined
  const flags = u16(bytes, at + 2)
  const message: DnsMessage = {
    id: u16(bytes, at),
    flags,
    response: (flags & DNS_FLAG_QR) !== 0,
    opcode: (flags >> 11) & 0x0f,
    authoritative: (flags & DNS_FLAG_AA) !== 0,
    truncated: (flags & DNS_FLAG_TC) !== 0,
    recursionDesired: (flags & DNS_FLAG_RD) !== 0,
    recursionAvailable: (flags & DNS_FLAG_RA) !== 0,
    reserved: (flags & DNS_FLAG_Z) !== 0,
    authenticData: (flags & DNS_FLAG_AD) !== 0,
    checkingDisabled: (flags & DNS_FLAG_CD) !== 0,
    rcode: flags & 0x0f,
    queries: [],
    answers: [],
    authorities: [],
    additionals: [],
    fault: 0,
    faultAt: 0,
  }
  const name: NameReading = { text: '', nextAt: 0, fault: 0 }
  const source: DnsMessageBytes = { bytes, at, endAt, memo: createNameMemo(endAt - at), name, onlyTypes }
  let next = readQuestions(source, layer, at + DNS_HEADER_LEN, u16(bytes, at + 4), message)
  next = readRecords(source, layer, next, u16(bytes, at + 6), message, message.answers)
  next = readRecords(source, layer, next, u16(bytes, at + 8), message, message.authorities)
  readRecords(source, layer, next, u16(bytes, at + 10), message, message.additionals)
  for (const record of message.additionals) {
    if (record.type === DNS_TYPE_OPT) message.rcode |= (record.ttl >>> 24) << 4
  }
  return message
}

/** Returns the offset behind the last question, −1 after a fault. */
function readQuestions(source: DnsMessageBytes, layer: number, at: number, count: number, into: DnsMessage): number {
  const { bytes, endAt } = source
  for (let left = count; left > 0; left--) {
    const name = ownerName(source, layer, at, into)
    if (name === undefined) return -1
    const next = source.name.nextAt
    if (endAt - next < 4) return failed(source, into, FAULT_DNS_SHORT, next)
    const rawClass = u16(bytes, next + 2)
    const isMdns = layer === LAYER_MDNS
    into.queries.push({
      name,
      type: u16(bytes, next),
      class: isMdns ? rawClass & ~MDNS_TOP_BIT : rawClass,
      unicastResponse: isMdns && (rawClass & MDNS_TOP_BIT) !== 0,
    })
    at = next + 4
  }
  return at
}

/** Returns the offset behind the last record, −1 after a fault; does nothing when `at` is −1. */
function readRecords(
  source: DnsMessageBytes,
  layer: number,
  at: number,
  count: number,
  into: DnsMessage,
  section: DnsRecord[],
): number {
  const { bytes, endAt } = source
  for (let left = count; left > 0 && at >= 0; left--) {
    const name = ownerName(source, layer, at, into)
    if (name === undefined) return -1
    const next = source.name.nextAt
    if (endAt - next < 10) return failed(source, into, FAULT_DNS_RECORD_LENGTH, next)
    const dataAt = next + 10
    const dataEndAt = dataAt + u16(bytes, next + 8)
    if (dataEndAt > endAt) return failed(source, into, FAULT_DNS_RECORD_LENGTH, next)
    const type = u16(bytes, next)
    const rawClass = u16(bytes, next + 2)
    const isMdns = layer === LAYER_MDNS && type !== DNS_TYPE_OPT
    const netbios = layer === LAYER_NBNS && type === NBNS_TYPE_NB ? readNetbios(source, dataAt, dataEndAt) : undefined
    section.push({
      name,
      type,
      class: isMdns ? rawClass & ~MDNS_TOP_BIT : rawClass,
      ttl: u32(bytes, next + 4),
      cacheFlush: isMdns && (rawClass & MDNS_TOP_BIT) !== 0,
      data: netbios ?? readData(source, type, dataAt, dataEndAt),
    })
    at = dataEndAt
  }
  return at
}

function ownerName(source: DnsMessageBytes, layer: number, at: number, into: DnsMessage): string | undefined {
  const { bytes, name } = source
  if (at >= source.endAt) {
    failed(source, into, FAULT_DNS_COUNT, at)
    return undefined
  }
  readName(bytes, source.at, source.endAt, at, source.memo, name)
  if (name.fault !== 0) {
    failed(source, into, name.fault, at)
    return undefined
  }
  return layer === LAYER_NBNS ? netbiosName(name.text) : name.text
}

function failed(source: DnsMessageBytes, into: DnsMessage, fault: number, at: number): number {
  into.fault = fault
  into.faultAt = at - source.at
  return -1
}
