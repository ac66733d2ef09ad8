// HOT PATH. DNS messages, RFC 1035 4; mDNS (RFC 6762), LLMNR (RFC 4795) and NBNS (RFC 1002) share the format.
// The header and the first question become columns; the rest is walked only to see whether it is sound.
import { DNS_FLAG_QR, DNS_HEADER_LEN, DNS_TYPE_OPT } from '../constants/wire.ts'
import { type DecodedBatch, ROW_CUT } from '../model/decoded-batch.ts'
import { LAYER_DONE, LAYER_MDNS } from '../model/layer.ts'
import {
  FAULT_DNS_COUNT,
  FAULT_DNS_LABEL_TYPE,
  FAULT_DNS_NAME_LENGTH,
  FAULT_DNS_NAME_POINTER,
  FAULT_DNS_RECORD_LENGTH,
  FAULT_DNS_SHORT,
} from '../model/malformed.ts'
import { type Cursor, fault, u16, u32 } from './cursor.ts'

const FLAGS_AT = 2
const QDCOUNT_AT = 4
const ANCOUNT_AT = 6
const NSCOUNT_AT = 8
const ARCOUNT_AT = 10

/** After a question's name: type and class. */
const QUESTION_TAIL_LEN = 4
/** After a record's name: type, class, TTL, RDLENGTH. */
const RECORD_TAIL_LEN = 10
const RDLENGTH_IN_TAIL = 8
/** The shortest question and record: a one-byte name and the tail. */
const MIN_QUESTION_LEN = 5
const MIN_RECORD_LEN = 11
/** RFC 1035 2.3.4: a name has 255 octets at most, length octets and root included. */
const MAX_NAME_LEN = 255
const MAX_LABEL_LEN = 63
const POINTER_LABEL = 0xc0

/** RFC 6762 10.2 and 18.12: the top bit of a class is not part of the class. */
const MDNS_CLASS_MASK = 0x7fff

const FNV_OFFSET = 0x811c9dc5
const FNV_PRIME = 0x01000193
/** Taken once: where the global object is a sandbox's, as under jest, each look at it costs a microsecond. */
const { imul } = Math

/** Bit n = opcode n is assigned: QUERY, IQUERY, STATUS, NOTIFY, UPDATE, DSO (IANA DNS OpCodes). */
const ASSIGNED_OPCODES = 0b111_0111
/** Bit n = class n is assigned below 32: IN, CS, CH, HS (IANA DNS CLASSes). */
const ASSIGNED_CLASSES = 0b1_1110
const CLASS_IN = 1
const CLASS_CH = 3
const CLASS_NONE = 254
const CLASS_ANY = 255

/** What follows lies beyond the captured bytes. Walks return it negated, as they do FAULT_DNS_* (all greater). */
const ENDS_HERE = 1

/**
 * Reads the message that fills the cursor's bounds as `layer` (LAYER_DNS, LAYER_MDNS, LAYER_LLMNR, LAYER_NBNS).
 * What does not look like a message at all leaves the row as it was: a port is a hint only. A message that breaks off
 * or contradicts itself keeps its columns and gets a FAULT_DNS_*; one cut by the capture keeps them with ROW_CUT.
 * Always the last layer.
 */
export function decodeDns(cursor: Cursor, out: DecodedBatch, row: number, layer: number): number {
  const { bytes, at, endAt, wireEndAt } = cursor
  if (endAt - at < DNS_HEADER_LEN) {
    if (wireEndAt - at >= DNS_HEADER_LEN) out.flags[row] = out.flags[row]! | ROW_CUT
    return LAYER_DONE
  }
  const flags = u16(bytes, at + FLAGS_AT)
  const questionCount = u16(bytes, at + QDCOUNT_AT)
  const answerCount = u16(bytes, at + ANCOUNT_AT)
  const authorityCount = u16(bytes, at + NSCOUNT_AT)
  const recordCount = answerCount + authorityCount + u16(bytes, at + ARCOUNT_AT)
  const opcode = (flags >> 11) & 0x0f

  // A header that could hardly be anything else keeps its row even when what follows is broken. Any other one must at
  // least fit into its datagram, or begin with a question that leaves no doubt.
  const sureHeader =
    questionCount === 1 &&
    ((ASSIGNED_OPCODES >> opcode) & 1) === 1 &&
    ((flags & DNS_FLAG_QR) !== 0 || (answerCount === 0 && authorityCount === 0 && recordCount <= 2))
  if (
    !sureHeader &&
    DNS_HEADER_LEN + questionCount * MIN_QUESTION_LEN + recordCount * MIN_RECORD_LEN > wireEndAt - at &&
    plausibleQuestionEnd(cursor) === 0
  ) {
    return LAYER_DONE
  }

  let next = at + DNS_HEADER_LEN
  if (questionCount > 0) {
    next = walkFirstQuestion(cursor, out, row, layer)
    const believable = next > 0 && out.dnsType[row] !== 0 && isClass(out.dnsClass[row]!)
    if (!sureHeader && !believable) return forgetQuestion(out, row)
  } else if (recordCount > 0 && !startsWithRecord(cursor, layer)) return LAYER_DONE

  out.layer[row] = layer
  out.dnsAt[row] = at
  out.dnsEndAt[row] = endAt
  out.dnsId[row] = u16(bytes, at)
  out.dnsFlags[row] = flags
  out.dnsQuestions[row] = questionCount

  const questionRead = next > 0
  if (questionRead) {
    cursor.at = next
    next = walkRest(cursor, at, questionCount - 1, recordCount)
  }
  if (next >= 0) return LAYER_DONE
  if (next !== -ENDS_HERE) return fault(cursor, out, row, layer, -next)
  if (endAt < wireEndAt) {
    out.flags[row] = out.flags[row]! | ROW_CUT
    return LAYER_DONE
  }
  return fault(cursor, out, row, layer, questionRead ? FAULT_DNS_RECORD_LENGTH : FAULT_DNS_SHORT)
}

/**
 * True when the datagram under the cursor is so clearly a DNS query or response that its port does not matter: nothing
 * but flags, counts, one plausible question and an end that is exactly where the message says.
 */
export function looksLikeDns(cursor: Cursor): boolean {
  const { bytes, at, endAt } = cursor
  // The shortest message with a question; a cut one cannot show its exact end.
  if (endAt - at < DNS_HEADER_LEN + MIN_QUESTION_LEN || endAt !== cursor.wireEndAt) return false
  if (u16(bytes, at + QDCOUNT_AT) !== 1) return false
  const flags = u16(bytes, at + FLAGS_AT)
  // Opcode QUERY and Z = 0; a query has only RD, AD and CD to set (RFC 1035 4.1.1, RFC 4035 3.1.6 and 4.6).
  if ((flags & 0x7840) !== 0) return false
  const answerAndAuthority = u32(bytes, at + ANCOUNT_AT)
  const additionalCount = u16(bytes, at + ARCOUNT_AT)
  const isQuery = (flags & DNS_FLAG_QR) === 0
  if (isQuery && ((flags & 0x068f) !== 0 || answerAndAuthority !== 0 || additionalCount > 1)) return false

  const next = plausibleQuestionEnd(cursor)
  if (next === 0) return false
  const recordCount = (answerAndAuthority >>> 16) + (answerAndAuthority & 0xffff) + additionalCount
  cursor.at = next
  const sound = walkRest(cursor, at, 0, recordCount) === endAt
  cursor.at = at
  return sound
}

/**
 * The offset behind the first question when it asks for something ordinary: the name of a host or service, a type in
 * common use, class IN or CH. 0 otherwise.
 */
function plausibleQuestionEnd(cursor: Cursor): number {
  const { bytes, endAt } = cursor
  const nameAt = cursor.at + DNS_HEADER_LEN
  let at = nameAt
  while (at < endAt && bytes[at] !== 0) {
    const labelLen = bytes[at]!
    const labelEndAt = at + 1 + labelLen
    if (labelLen > MAX_LABEL_LEN || labelEndAt >= endAt) return 0
    for (let i = at + 1; i < labelEndAt; i++) if (!isHostCharacter(bytes[i]!)) return 0
    at = labelEndAt
  }
  at++
  if (at - nameAt > MAX_NAME_LEN || endAt - at < QUESTION_TAIL_LEN) return 0
  const type = u16(bytes, at)
  const dnsClass = u16(bytes, at + 2)
  const ordinary = type > 0 && type <= MAX_ORDINARY_TYPE && (dnsClass === CLASS_IN || dnsClass === CLASS_CH)
  return ordinary ? at + QUESTION_TAIL_LEN : 0
}

/** The greatest type number a question of ordinary programs has (IANA: 262 is the last one assigned in a row). */
const MAX_ORDINARY_TYPE = 262

/** Letters, digits, hyphen, underscore: names of hosts and services (RFC 952, RFC 1123 2.1, RFC 8552). */
function isHostCharacter(byte: number): boolean {
  const lower = byte | 0x20
  return (lower >= 0x61 && lower <= 0x7a) || (byte >= 0x30 && byte <= 0x39) || byte === 0x2d || byte === 0x5f
}

function isClass(dnsClass: number): boolean {
  return (
    (dnsClass < 32 && ((ASSIGNED_CLASSES >> dnsClass) & 1) === 1) || dnsClass === CLASS_NONE || dnsClass === CLASS_ANY
  )
}

function forgetQuestion(out: DecodedBatch, row: number): number {
  out.dnsNameHash[row] = 0
  out.dnsType[row] = 0
  out.dnsClass[row] = 0
  return LAYER_DONE
}

/**
 * Reads the question right after the header into the row: name hash, type, class. No name stands before it, so a
 * compression pointer is wrong here (RFC 1035 4.1.4). Returns the offset behind it, or a negated code with the cursor
 * at the trouble.
 */
function walkFirstQuestion(cursor: Cursor, out: DecodedBatch, row: number, layer: number): number {
  const { bytes, endAt } = cursor
  const nameAt = cursor.at + DNS_HEADER_LEN
  let at = nameAt
  let hash = FNV_OFFSET
  for (;;) {
    cursor.at = at
    if (at >= endAt) return -ENDS_HERE
    const labelLen = bytes[at]!
    hash = imul(hash ^ labelLen, FNV_PRIME)
    at++
    if (labelLen === 0) break
    if (labelLen > MAX_LABEL_LEN) return labelLen >= POINTER_LABEL ? -FAULT_DNS_NAME_POINTER : -FAULT_DNS_LABEL_TYPE
    const labelEndAt = at + labelLen
    // The root's octet is still to come.
    if (labelEndAt - nameAt >= MAX_NAME_LEN) return -FAULT_DNS_NAME_LENGTH
    if (labelEndAt > endAt) return -ENDS_HERE
    for (; at < labelEndAt; at++) {
      const byte = bytes[at]!
      // RFC 4343 3: only the ASCII letters have two cases.
      hash = imul(hash ^ (byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte), FNV_PRIME)
    }
  }
  cursor.at = at
  if (endAt - at < QUESTION_TAIL_LEN) return -ENDS_HERE
  out.dnsNameHash[row] = hash >>> 0
  out.dnsType[row] = u16(bytes, at)
  out.dnsClass[row] = u16(bytes, at + 2) & (layer === LAYER_MDNS ? MDNS_CLASS_MASK : 0xffff)
  return at + QUESTION_TAIL_LEN
}

/** A message without questions begins with a record: its type and class tell it from chance (OPT's class is a size). */
function startsWithRecord(cursor: Cursor, layer: number): boolean {
  const { bytes, at: messageAt, endAt, wireEndAt } = cursor
  const recordAt = messageAt + DNS_HEADER_LEN
  const next = skipName(cursor, recordAt, messageAt)
  cursor.at = messageAt
  if (next < 0 || endAt - next < RECORD_TAIL_LEN) return false
  const type = u16(bytes, next)
  const dnsClass = u16(bytes, next + 2) & (layer === LAYER_MDNS ? MDNS_CLASS_MASK : 0xffff)
  if (type === 0 || next + RECORD_TAIL_LEN + u16(bytes, next + RDLENGTH_IN_TAIL) > wireEndAt) return false
  return isClass(dnsClass) || (type === DNS_TYPE_OPT && bytes[recordAt] === 0)
}

/**
 * Walks questions and records from the cursor on. Returns the offset behind the last one, or a negated code with the
 * cursor at the trouble. Each step takes at least five bytes, so hostile counts cost nothing.
 */
function walkRest(cursor: Cursor, messageAt: number, questionCount: number, recordCount: number): number {
  const { bytes, endAt, wireEndAt } = cursor
  let at = cursor.at
  for (let left = questionCount; left > 0; left--) {
    if (at === wireEndAt) return countFault(cursor, at)
    const next = skipName(cursor, at, messageAt)
    if (next < 0) return next
    cursor.at = next
    if (endAt - next < QUESTION_TAIL_LEN) return -ENDS_HERE
    at = next + QUESTION_TAIL_LEN
  }
  for (let left = recordCount; left > 0; left--) {
    if (at === wireEndAt) return countFault(cursor, at)
    const next = skipName(cursor, at, messageAt)
    if (next < 0) return next
    cursor.at = next
    if (endAt - next < RECORD_TAIL_LEN) return -ENDS_HERE
    at = next + RECORD_TAIL_LEN + u16(bytes, next + RDLENGTH_IN_TAIL)
    if (at > wireEndAt) return -FAULT_DNS_RECORD_LENGTH
    if (at > endAt) return -ENDS_HERE
  }
  return at
}

function countFault(cursor: Cursor, at: number): number {
  cursor.at = at
  return -FAULT_DNS_COUNT
}

/**
 * The offset behind the name at `at`, or a negated code with the cursor at the trouble. A pointer must lead to a prior
 * name (RFC 1035 4.1.4): before the name it stands in and behind the header. It is checked, not followed.
 */
function skipName(cursor: Cursor, at: number, messageAt: number): number {
  const { bytes, endAt } = cursor
  const nameAt = at
  cursor.at = at
  for (;;) {
    if (at >= endAt) return -ENDS_HERE
    cursor.at = at
    const labelLen = bytes[at]!
    if (labelLen === 0) return at + 1
    if (labelLen >= POINTER_LABEL) {
      if (at + 1 >= endAt) return -ENDS_HERE
      const target = messageAt + (u16(bytes, at) & 0x3fff)
      if (target >= nameAt || target < messageAt + DNS_HEADER_LEN) return -FAULT_DNS_NAME_POINTER
      return at + 2
    }
    if (labelLen > MAX_LABEL_LEN) return -FAULT_DNS_LABEL_TYPE
    at += 1 + labelLen
    if (at - nameAt >= MAX_NAME_LEN) return -FAULT_DNS_NAME_LENGTH
  }
}
