// A held exchange as the fact that handlers see: one object, moved from slot to slot, its texts made only when read.
import type { CaptureInterface } from '../../model/capture-interface.ts'
import type { DnsExchange, DnsJudgement, DnsTransport } from '../../model/facts.ts'
import { dnsTypeName } from '../../text/dns-tables.ts'
import type { AddressTable } from './addresses.ts'
import {
  type DnsExchangeTracker,
  EXCHANGE_ANSWERED,
  EXCHANGE_FRAGMENTED,
  EXCHANGE_OVER_TCP,
  EXCHANGE_TIMED_OUT,
} from './dns-exchanges.ts'
import type { NameTable } from './names.ts'

/** `slot` says which exchange; epoch, judgement, cause and reason are written by the judge before anybody reads. */
export class ExchangeView implements DnsExchange {
  slot = 0
  epoch = 1
  judgement: DnsJudgement = 'unknown'
  cause = ''
  reason = ''
  readonly #tracker: () => DnsExchangeTracker
  readonly #names: NameTable
  readonly #addresses: AddressTable
  readonly #interfaces: readonly CaptureInterface[]

  constructor(
    tracker: () => DnsExchangeTracker,
    names: NameTable,
    addresses: AddressTable,
    interfaces: readonly CaptureInterface[],
  ) {
    this.#tracker = tracker
    this.#names = names
    this.#addresses = addresses
    this.#interfaces = interfaces
  }

  get nameId(): number {
    return this.#columns.nameId[this.slot]!
  }
  get name(): string {
    return this.#names.text(this.nameId)
  }
  get type(): number {
    return this.#columns.type[this.slot]!
  }
  get typeName(): string {
    return dnsTypeName(this.type)
  }
  get clientId(): number {
    return this.#columns.client[this.slot]!
  }
  get clientAddress(): string {
    return this.#addresses.text(this.clientId)
  }
  get clientPort(): number {
    return this.#columns.clientPort[this.slot]!
  }
  get serverId(): number {
    return this.#columns.server[this.slot]!
  }
  get serverAddress(): string {
    return this.#addresses.text(this.serverId)
  }
  get serverPort(): number {
    return this.#columns.serverPort[this.slot]!
  }
  get transport(): DnsTransport {
    return (this.#columns.flags[this.slot]! & EXCHANGE_OVER_TCP) !== 0 ? 'tcp' : 'udp'
  }
  get fragmented(): boolean {
    return (this.#columns.flags[this.slot]! & EXCHANGE_FRAGMENTED) !== 0
  }
  get ipVersion(): number {
    return this.#columns.ipVersion[this.slot]!
  }
  get direction(): number {
    return this.#columns.direction[this.slot]!
  }
  get interfaceId(): number {
    return this.#columns.interfaceId[this.slot]!
  }
  get interfaceName(): string {
    const one = this.#interfaces[this.interfaceId]
    return one?.name ?? one?.inputName ?? ''
  }
  get inputName(): string {
    return this.#interfaces[this.interfaceId]?.inputName ?? ''
  }
  get questions(): number {
    return this.#columns.questions[this.slot]!
  }
  get queryMicros(): number {
    return this.#columns.queryMicros[this.slot]!
  }
  get responseMicros(): number {
    return this.#columns.responseMicros[this.slot]!
  }
  get outcome(): 'answered' | 'timed-out' | 'undecided' {
    const state = this.#columns.state[this.slot]
    if (state === EXCHANGE_ANSWERED) return 'answered'
    return state === EXCHANGE_TIMED_OUT ? 'timed-out' : 'undecided'
  }
  get rcode(): number {
    return this.#columns.state[this.slot] === EXCHANGE_ANSWERED ? this.#columns.rcode[this.slot]! : -1
  }
  get queryFrame(): number {
    return this.#columns.queryFrame[this.slot]!
  }
  get responseFrame(): number {
    return this.#columns.responseFrame[this.slot]!
  }

  get #columns() {
    return this.#tracker().columns
  }
}
