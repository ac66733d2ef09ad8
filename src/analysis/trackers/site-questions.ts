// HOT PATH. The latest questions for addresses in columns, so that a site's connections find the answer that led to them;
// and what answers say beside addresses: the names a CNAME leads to, and why there is none (RFC 8914).
import { FIRST_SITE_QUESTIONS, MAX_ANSWER_NOTES, MAX_SITE_QUESTIONS } from '../../constants/limits.ts'
import { DNS_HEADER_LEN, DNS_TYPE_A, DNS_TYPE_AAAA, DNS_TYPE_CNAME, DNS_TYPE_OPT } from '../../constants/wire.ts'
import { u16 } from '../../decoders/cursor.ts'
import type { DecodedBatch } from '../../model/decoded-batch.ts'
import { LAYER_DNS } from '../../model/layer.ts'
import type { PacketBatch } from '../../model/packet-batch.ts'
import { readDnsMessage } from '../../text/dns-message.ts'
import { extendedErrorName } from '../../text/dns-tables.ts'
import type { Writable } from '../writable.ts'
import type { AddressTable } from './addresses.ts'
import type { ExchangeView } from './exchange-view.ts'
import type { NameTable } from './names.ts'

/** What an answer says beside its addresses. */
export interface AnswerNote {
  chain: string[]
  extendedErrors: string[]
}

/** The questions as columns; `seq` & QUESTION_MASK is the slot. Others when they have grown. */
export interface QuestionColumns {
  readonly nameId: Uint32Array
  readonly server: Uint32Array
  readonly clientPort: Uint16Array
  readonly answers: Uint32Array
  readonly epoch: Uint32Array
  readonly interfaceId: Uint16Array
  /** 255 without an answer. */
  readonly rcode: Uint8Array
  /** 0 answered, 1 timed out, 2 not decided. */
  readonly outcome: Uint8Array
  readonly queryMicros: Float64Array
  readonly latencyMicros: Uint32Array
  readonly questions: Uint16Array
  readonly responseFrame: Uint32Array
}

export interface SiteQuestions {
  /** An exchange that was judged. */
  note(view: ExchangeView): void
  /** A DNS response, as it came. */
  response(batch: PacketBatch, out: DecodedBatch, row: number): void
  readonly columns: QuestionColumns
  /** Sequence numbers held: [first, end). */
  readonly first: number
  readonly end: number
  noteOf(nameId: number, serverId: number): AnswerNote | undefined
}

/** The chain, and the extended error in OPT. */
const NOTED_TYPES: readonly number[] = Object.freeze([DNS_TYPE_CNAME, DNS_TYPE_OPT])

export const QUESTION_MASK = MAX_SITE_QUESTIONS - 1

export function createSiteQuestions(names: NameTable, addresses: AddressTable): SiteQuestions {
  let columns = createColumns(FIRST_SITE_QUESTIONS)
  const notes = new Map<number, AnswerNote>()

  /** COLD PATH: once for every doubling. Until there are as many as may be held, the slot is the sequence number. */
  function grow(): void {
    const wider = createColumns(columns.nameId.length * 2)
    for (const name of Object.keys(wider) as (keyof QuestionColumns)[]) wider[name].set(columns[name])
    columns = wider
    table.columns = wider
  }

  /** COLD PATH: once for every name and server. */
  function read(bytes: Uint8Array, at: number, endAt: number, key: number): void {
    const message = readDnsMessage(bytes, at, endAt, LAYER_DNS, NOTED_TYPES)
    if (message === undefined) return
    const chain = message.answers.flatMap(({ data }) => (data.kind === 'name' ? [data.name.toLowerCase()] : []))
    const extendedErrors = message.additionals.flatMap(({ data }) =>
      data.kind === 'opt' && data.options !== undefined
        ? data.options.flatMap(({ infoCode }) =>
            infoCode === undefined ? [] : [`${infoCode} ${extendedErrorName(infoCode)}`],
          )
        : [],
    )
    notes.set(key, { chain: chain.slice(0, MAX_CHAIN), extendedErrors })
  }

  const table: Writable<SiteQuestions> = {
    note(view) {
      if (view.type !== DNS_TYPE_A && view.type !== DNS_TYPE_AAAA) return
      const slot = table.end++ & QUESTION_MASK
      if (table.end - table.first > MAX_SITE_QUESTIONS) table.first++
      if (slot === columns.nameId.length) grow()
      columns.nameId[slot] = view.nameId
      columns.server[slot] = view.serverId
      columns.clientPort[slot] = view.clientPort
      columns.answers[slot] = view.answerSet
      columns.epoch[slot] = view.epoch
      columns.interfaceId[slot] = view.interfaceId
      columns.rcode[slot] = view.rcode < 0 ? 255 : view.rcode
      columns.outcome[slot] = view.responseMicros >= 0 ? 0 : view.outcome === 'timed-out' ? 1 : 2
      columns.queryMicros[slot] = view.queryMicros
      columns.latencyMicros[slot] = view.responseMicros < 0 ? 0 : view.responseMicros - view.queryMicros
      columns.questions[slot] = view.questions
      columns.responseFrame[slot] = view.responseFrame
    },
    response(batch, out, row) {
      const { bytes } = batch
      const at = out.dnsAt[row]!
      const endAt = out.dnsEndAt[row]!
      const type = out.dnsType[row]!
      if (type !== DNS_TYPE_A && type !== DNS_TYPE_AAAA) return
      const hasReason = (out.dnsFlags[row]! & 0x0f) !== 0 && u16(bytes, at + 10) > 0
      if (!hasReason && !beginsWithCname(bytes, at, endAt)) return
      if (notes.size === MAX_ANSWER_NOTES) return
      const nameId = names.intern(bytes, at + DNS_HEADER_LEN, endAt, out.dnsNameHash[row]!)
      const server = addresses.idOf(out.addresses, row << 3)
      if (server < 0) return
      const key = keyOf(nameId, server)
      if (!notes.has(key)) read(bytes, at, endAt, key)
    },
    columns,
    first: 0,
    end: 0,
    noteOf: (nameId, serverId) => notes.get(keyOf(nameId, serverId)),
  }
  return table
}

/** Names of a chain that are kept; resolvers give up after as many. */
const MAX_CHAIN = 16

function keyOf(nameId: number, serverId: number): number {
  return nameId * 0x10_0000 + (serverId & 0xf_ffff)
}

/** The first record of the answer is a CNAME (RFC 1035 4.1.3, 4.1.4). */
function beginsWithCname(bytes: Uint8Array, messageAt: number, endAt: number): boolean {
  if (u16(bytes, messageAt + 4) !== 1 || u16(bytes, messageAt + 6) === 0) return false
  const recordAt = afterName(bytes, messageAt + DNS_HEADER_LEN, endAt) + 4
  const typeAt = afterName(bytes, recordAt, endAt)
  return typeAt + 2 <= endAt && u16(bytes, typeAt) === DNS_TYPE_CNAME
}

/** The offset behind the name at `at`; `endAt` when it does not end before. */
function afterName(bytes: Uint8Array, at: number, endAt: number): number {
  while (at < endAt) {
    const labelLen = bytes[at]!
    if (labelLen === 0) return at + 1
    if (labelLen >= 0xc0) return at + 2
    at += labelLen + 1
  }
  return endAt
}

function createColumns(capacity: number): QuestionColumns {
  return {
    nameId: new Uint32Array(capacity),
    server: new Uint32Array(capacity),
    clientPort: new Uint16Array(capacity),
    answers: new Uint32Array(capacity),
    epoch: new Uint32Array(capacity),
    interfaceId: new Uint16Array(capacity),
    rcode: new Uint8Array(capacity),
    outcome: new Uint8Array(capacity),
    queryMicros: new Float64Array(capacity),
    latencyMicros: new Uint32Array(capacity),
    questions: new Uint16Array(capacity),
    responseFrame: new Uint32Array(capacity),
  }
}
