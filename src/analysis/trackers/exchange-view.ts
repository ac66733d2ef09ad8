// A held exchange as the fact that handlers see: one object, moved from slot to slot, its texts made only when read.
import type { CaptureInterface } from '../../model/capture-interface.ts'
import type { DnsExchange, DnsJudgement, DnsTransport, OtherAnswer } from '../../model/dns-facts.ts'
import type { Confidence, ProcessRef } from '../../model/finding.ts'
import { LAYER_DNS, LAYER_LLMNR, LAYER_MDNS, LAYER_NBNS } from '../../model/layer.ts'
import { dnsTypeName, netbiosTypeName } from '../../text/dns-tables.ts'
import { netbiosName } from '../../text/netbios-name.ts'
import type { AddressTable } from './addresses.ts'
import type { AnswerTable } from './dns-answers.ts'
import type { DnsExchangeTracker } from './dns-exchanges.ts'
import {
  ANSWERS_AT,
  BITS_AT,
  CLIENT_AT,
  DIRECTION_SHIFT,
  EXCHANGE_ANSWERED,
  EXCHANGE_CONTRADICTED,
  EXCHANGE_FRAGMENTED,
  EXCHANGE_OVER_TCP,
  EXCHANGE_SENT,
  EXCHANGE_SHIFT,
  EXCHANGE_SHOUTED,
  EXCHANGE_STRAYED,
  EXCHANGE_TIMED_OUT,
  exchangeState,
  hasExchangeFlag,
  INTERFACE_AT,
  IP_VERSION_SHIFT,
  LAYER_SHIFT,
  NAME_ID_AT,
  PORTS_AT,
  QUERY_AT_F64,
  QUERY_FRAME_AT,
  QUESTION_AT,
  RESPONSE_AT_F64,
  RESPONSE_FRAME_AT,
  rcodeOf,
  SERVER_AT,
} from './exchange-record.ts'
import type { NameTable } from './names.ts'

export const NO_DETAIL: Readonly<Record<string, string | number>> = Object.freeze({})

/** moveTo() says which exchange; epoch, judgement, cause and reason are written by the judge before anybody reads. */
export class ExchangeView implements DnsExchange {
  epoch = 1
  judgement: DnsJudgement = 'unknown'
  cause = ''
  reason = ''
  confidence: Confidence = 'proven'
  process: ProcessRef | undefined
  detail: Readonly<Record<string, string | number>> = NO_DETAIL
  readonly #tracker: () => DnsExchangeTracker
  #slot = 0
  #words!: Uint32Array
  #times!: Float64Array
  readonly #names: NameTable
  readonly #addresses: AddressTable
  readonly #answers: AnswerTable
  readonly #interfaces: readonly CaptureInterface[]

  constructor(
    tracker: () => DnsExchangeTracker,
    names: NameTable,
    addresses: AddressTable,
    answers: AnswerTable,
    interfaces: readonly CaptureInterface[],
  ) {
    this.#tracker = tracker
    this.#names = names
    this.#addresses = addresses
    this.#answers = answers
    this.#interfaces = interfaces
  }

  /** Stands on another exchange from now on. The records are other ones after the table has grown. */
  moveTo(slot: number): void {
    const { words, times } = this.#tracker().records
    this.#slot = slot
    this.#words = words
    this.#times = times
  }

  get slot(): number {
    return this.#slot
  }
  get nameId(): number {
    return this.#word(NAME_ID_AT)
  }
  get name(): string {
    const text = this.#names.text(this.nameId)
    return this.layer === LAYER_NBNS ? netbiosName(text) : text
  }
  get type(): number {
    return this.#word(QUESTION_AT) >>> 16
  }
  get typeName(): string {
    return this.layer === LAYER_NBNS ? netbiosTypeName(this.type) : dnsTypeName(this.type)
  }
  get clientId(): number {
    return this.#word(CLIENT_AT)
  }
  get clientAddress(): string {
    return this.#addresses.text(this.clientId)
  }
  get clientPort(): number {
    return this.#word(PORTS_AT) >>> 16
  }
  get serverId(): number {
    return this.#word(SERVER_AT)
  }
  get serverAddress(): string {
    return this.#addresses.text(this.serverId)
  }
  get serverPort(): number {
    return this.#word(PORTS_AT) & 0xffff
  }
  get transport(): DnsTransport {
    return this.#has(EXCHANGE_OVER_TCP) ? 'tcp' : 'udp'
  }
  get layer(): number {
    return (this.#word(BITS_AT) >>> LAYER_SHIFT) & 0xff
  }
  get protocol(): 'dns' | 'mdns' | 'llmnr' | 'nbns' {
    switch (this.layer) {
      case LAYER_MDNS:
        return 'mdns'
      case LAYER_LLMNR:
        return 'llmnr'
      case LAYER_NBNS:
        return 'nbns'
      default:
        return 'dns'
    }
  }
  get isPlainDns(): boolean {
    return this.layer === LAYER_DNS
  }
  /** Marked as sent by this machine. */
  get sent(): boolean {
    return this.#has(EXCHANGE_SENT)
  }
  get shouted(): boolean {
    return this.#has(EXCHANGE_SHOUTED)
  }
  get dnsId(): number {
    return this.#word(QUESTION_AT) & 0xffff
  }
  get answerSet(): number {
    return this.#word(ANSWERS_AT)
  }
  get answerIds(): readonly number[] {
    return this.#answers.addressesOf(this.answerSet)
  }
  get answers(): readonly string[] {
    return this.answerIds.map((id) => this.#addresses.text(id))
  }
  get otherAnswer(): OtherAnswer | undefined {
    const contradicted = this.#has(EXCHANGE_CONTRADICTED)
    if (!contradicted && !this.#has(EXCHANGE_STRAYED)) return undefined
    const other = this.#tracker().otherAnswer(this.#slot)
    if (other === undefined) return undefined
    const on = this.#interfaces[contradicted ? this.interfaceId : other.interfaceId]
    return {
      kind: contradicted ? 'second' : 'strayed',
      answers: this.#answers.addressesOf(other.answers).map((id) => this.#addresses.text(id)),
      rcode: other.rcode,
      frame: other.frame,
      interfaceName: on?.name ?? on?.inputName ?? '',
    }
  }
  get fragmented(): boolean {
    return this.#has(EXCHANGE_FRAGMENTED)
  }
  get ipVersion(): number {
    return (this.#word(BITS_AT) >>> IP_VERSION_SHIFT) & 0x0f
  }
  get direction(): number {
    return this.#word(BITS_AT) >>> DIRECTION_SHIFT
  }
  get interfaceId(): number {
    return this.#word(INTERFACE_AT) >>> 16
  }
  get interfaceName(): string {
    const one = this.#interfaces[this.interfaceId]
    return one?.name ?? one?.inputName ?? ''
  }
  get inputName(): string {
    return this.#interfaces[this.interfaceId]?.inputName ?? ''
  }
  get questions(): number {
    return this.#word(INTERFACE_AT) & 0xffff
  }
  get queryMicros(): number {
    return this.#times[(this.#slot << (EXCHANGE_SHIFT - 1)) + QUERY_AT_F64]!
  }
  get responseMicros(): number {
    return this.#times[(this.#slot << (EXCHANGE_SHIFT - 1)) + RESPONSE_AT_F64]!
  }
  get outcome(): 'answered' | 'timed-out' | 'undecided' {
    const state = exchangeState(this.#words, this.#slot)
    if (state === EXCHANGE_ANSWERED) return 'answered'
    return state === EXCHANGE_TIMED_OUT ? 'timed-out' : 'undecided'
  }
  get rcode(): number {
    return exchangeState(this.#words, this.#slot) === EXCHANGE_ANSWERED ? rcodeOf(this.#words, this.#slot) : -1
  }
  get queryFrame(): number {
    return this.#word(QUERY_FRAME_AT)
  }
  get responseFrame(): number {
    return this.#word(RESPONSE_FRAME_AT)
  }

  #has(flag: number): boolean {
    return hasExchangeFlag(this.#words, this.#slot, flag)
  }

  #word(at: number): number {
    return this.#words[(this.#slot << EXCHANGE_SHIFT) + at]!
  }
}
