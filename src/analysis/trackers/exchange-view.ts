// A held exchange as the fact that handlers see: one object, moved from slot to slot, its texts made only when read.
import type { CaptureInterface } from '../../model/capture-interface.ts'
import type { DnsExchange, DnsJudgement, DnsTransport, OtherAnswer } from '../../model/facts.ts'
import type { Confidence, ProcessRef } from '../../model/finding.ts'
import { LAYER_DNS, LAYER_LLMNR, LAYER_MDNS, LAYER_NBNS } from '../../model/layer.ts'
import { dnsTypeName, netbiosTypeName } from '../../text/dns-tables.ts'
import { netbiosName } from '../../text/netbios-name.ts'
import type { AddressTable } from './addresses.ts'
import type { AnswerTable } from './dns-answers.ts'
import type { DnsExchangeTracker } from './dns-exchanges.ts'
import {
  EXCHANGE_ANSWERED,
  EXCHANGE_CONTRADICTED,
  EXCHANGE_FRAGMENTED,
  EXCHANGE_OVER_TCP,
  EXCHANGE_SENT,
  EXCHANGE_SHOUTED,
  EXCHANGE_STRAYED,
  EXCHANGE_TIMED_OUT,
  type ExchangeColumns,
} from './exchange-columns.ts'
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
  #columns!: ExchangeColumns
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

  /** Stands on another exchange from now on. The columns are other ones after the table has grown. */
  moveTo(slot: number): void {
    this.#slot = slot
    this.#columns = this.#tracker().columns
  }

  get slot(): number {
    return this.#slot
  }
  get nameId(): number {
    return this.#columns.nameId[this.#slot]!
  }
  get name(): string {
    const text = this.#names.text(this.nameId)
    return this.layer === LAYER_NBNS ? netbiosName(text) : text
  }
  get type(): number {
    return this.#columns.type[this.#slot]!
  }
  get typeName(): string {
    return this.layer === LAYER_NBNS ? netbiosTypeName(this.type) : dnsTypeName(this.type)
  }
  get clientId(): number {
    return this.#columns.client[this.#slot]!
  }
  get clientAddress(): string {
    return this.#addresses.text(this.clientId)
  }
  get clientPort(): number {
    return this.#columns.clientPort[this.#slot]!
  }
  get serverId(): number {
    return this.#columns.server[this.#slot]!
  }
  get serverAddress(): string {
    return this.#addresses.text(this.serverId)
  }
  get serverPort(): number {
    return this.#columns.serverPort[this.#slot]!
  }
  get transport(): DnsTransport {
    return (this.#columns.flags[this.#slot]! & EXCHANGE_OVER_TCP) !== 0 ? 'tcp' : 'udp'
  }
  get layer(): number {
    return this.#columns.layer[this.#slot]!
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
    return this.#columns.dnsId[this.#slot]!
  }
  get answerSet(): number {
    return this.#columns.answers[this.#slot]!
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
    const columns = this.#columns
    const on = this.#interfaces[contradicted ? this.interfaceId : columns.otherInterfaceId[this.#slot]!]
    return {
      kind: contradicted ? 'second' : 'strayed',
      answers: this.#answers.addressesOf(columns.otherAnswers[this.#slot]!).map((id) => this.#addresses.text(id)),
      rcode: columns.otherRcode[this.#slot]!,
      frame: columns.otherFrame[this.#slot]!,
      interfaceName: on?.name ?? on?.inputName ?? '',
    }
  }
  get fragmented(): boolean {
    return (this.#columns.flags[this.#slot]! & EXCHANGE_FRAGMENTED) !== 0
  }
  get ipVersion(): number {
    return this.#columns.ipVersion[this.#slot]!
  }
  get direction(): number {
    return this.#columns.direction[this.#slot]!
  }
  get interfaceId(): number {
    return this.#columns.interfaceId[this.#slot]!
  }
  get interfaceName(): string {
    const one = this.#interfaces[this.interfaceId]
    return one?.name ?? one?.inputName ?? ''
  }
  get inputName(): string {
    return this.#interfaces[this.interfaceId]?.inputName ?? ''
  }
  get questions(): number {
    return this.#columns.questions[this.#slot]!
  }
  get queryMicros(): number {
    return this.#columns.queryMicros[this.#slot]!
  }
  get responseMicros(): number {
    return this.#columns.responseMicros[this.#slot]!
  }
  get outcome(): 'answered' | 'timed-out' | 'undecided' {
    const state = this.#columns.state[this.#slot]
    if (state === EXCHANGE_ANSWERED) return 'answered'
    return state === EXCHANGE_TIMED_OUT ? 'timed-out' : 'undecided'
  }
  get rcode(): number {
    return this.#columns.state[this.#slot] === EXCHANGE_ANSWERED ? this.#columns.rcode[this.#slot]! : -1
  }
  get queryFrame(): number {
    return this.#columns.queryFrame[this.#slot]!
  }
  get responseFrame(): number {
    return this.#columns.responseFrame[this.#slot]!
  }

  #has(flag: number): boolean {
    return (this.#columns.flags[this.#slot]! & flag) !== 0
  }
}
