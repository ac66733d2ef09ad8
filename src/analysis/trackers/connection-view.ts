// An opened connection as the fact that handlers see: one object, moved from slot to slot, its texts made only when read.
import type { CaptureInterface } from '../../model/capture-interface.ts'
import type { ConnectionJudgement, OpenedConnection } from '../../model/connection-facts.ts'
import type { Confidence } from '../../model/finding.ts'
import type { AddressTable } from './addresses.ts'
import { CONNECTION_ANSWERED, CONNECTION_REFUSED, type ConnectionColumns } from './connections.ts'

/** `slot` says which connection; the judge writes the rest before anybody reads. */
export class ConnectionView implements OpenedConnection {
  slot = 0
  epoch = 1
  judgement: ConnectionJudgement = 'unknown'
  cause = ''
  reason = ''
  confidence: Confidence = 'proven'
  readonly #columns: () => ConnectionColumns
  readonly #addresses: AddressTable
  readonly #interfaces: readonly CaptureInterface[]

  constructor(columns: () => ConnectionColumns, addresses: AddressTable, interfaces: readonly CaptureInterface[]) {
    this.#columns = columns
    this.#addresses = addresses
    this.#interfaces = interfaces
  }

  get timeMicros(): number {
    return this.#columns().timeMicros[this.slot]!
  }
  get frame(): number {
    return this.#columns().frame[this.slot]!
  }
  get interfaceId(): number {
    return this.#columns().interfaceId[this.slot]!
  }
  get interfaceName(): string {
    const one = this.#interfaces[this.interfaceId]
    return one?.name ?? one?.inputName ?? ''
  }
  get inputName(): string {
    return this.#interfaces[this.interfaceId]?.inputName ?? ''
  }
  get clientId(): number {
    return this.#columns().client[this.slot]!
  }
  get clientAddress(): string {
    return this.#addresses.text(this.clientId)
  }
  get clientPort(): number {
    return this.#columns().clientPort[this.slot]!
  }
  get serverId(): number {
    return this.#columns().server[this.slot]!
  }
  get serverAddress(): string {
    return this.#addresses.text(this.serverId)
  }
  get serverPort(): number {
    return this.#columns().serverPort[this.slot]!
  }
  get outcome(): 'answered' | 'refused' | 'silent' {
    const state = this.#columns().state[this.slot]
    if (state === CONNECTION_ANSWERED) return 'answered'
    return state === CONNECTION_REFUSED ? 'refused' : 'silent'
  }
  get handshakeMicros(): number {
    return this.outcome === 'answered' ? Math.max(-1, this.#columns().handshakeMicros[this.slot]!) : -1
  }
  get ipVersion(): number {
    return this.#columns().ipVersion[this.slot]!
  }
}
