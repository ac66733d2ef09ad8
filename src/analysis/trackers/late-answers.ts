// Live an exchange is told soon after its answer, and gone. A second answer that comes later still contradicts it
// (rules.md R13): a forged one is quick, the real one takes the whole way. The last exchanges are kept for that.
import { DNS_FLAG_TC, DNS_HEADER_LEN, IPPROTO_UDP } from '../../constants/wire.ts'
import type { CaptureInterface } from '../../model/capture-interface.ts'
import type { DecodedBatch } from '../../model/decoded-batch.ts'
import type { SecondAnswerFact } from '../../model/dns-facts.ts'
import type { PacketBatch } from '../../model/packet-batch.ts'
import type { AddressTable } from './addresses.ts'
import type { AnswerTable } from './dns-answers.ts'
import type { ExchangeView } from './exchange-view.ts'
import type { NameTable } from './names.ts'

/** Exchanges kept; one in the place of another is forgotten. */
const PLACES = 4096
/** As long as a client waits (RFC 1035 4.2.1). */
const MAX_LATE_MICROS = 5_000_000

interface Kept {
  clientId: number
  clientPort: number
  serverId: number
  serverPort: number
  dnsId: number
  nameId: number
  type: number
  interfaceId: number
  ipVersion: number
  answers: number
  rcode: number
  queryMicros: number
  queryFrame: number
}

export interface LateAnswers {
  /** An answered exchange was told. */
  note(view: ExchangeView): void
  /** What an answer without a waiting question contradicts; undefined mostly. */
  answer(batch: PacketBatch, out: DecodedBatch, row: number): SecondAnswerFact | undefined
}

export function createLateAnswers(
  names: NameTable,
  addresses: AddressTable,
  answers: AnswerTable,
  interfaces: readonly CaptureInterface[],
): LateAnswers {
  const kept: (Kept | undefined)[] = new Array(PLACES).fill(undefined)
  const placeOf = (dnsId: number, clientPort: number): number =>
    (Math.imul((dnsId << 16) | clientPort, 0x9e3779b1) >>> 0) % PLACES
  const textsOf = (set: number): string[] => answers.addressesOf(set).map((id) => addresses.text(id))

  return {
    note(view) {
      // One question repeated may get as many answers.
      if (view.outcome !== 'answered' || view.questions !== 1 || view.transport !== 'udp') return
      const { clientId, clientPort, serverId, serverPort, dnsId, nameId, type, interfaceId, ipVersion, rcode } = view
      const { answerSet, queryMicros, queryFrame } = view
      const ends = { clientId, clientPort, serverId, serverPort, dnsId, nameId, type, interfaceId, ipVersion }
      kept[placeOf(dnsId, clientPort)] = { ...ends, answers: answerSet, rcode, queryMicros, queryFrame }
    },
    answer(batch, out, row) {
      const one = kept[placeOf(out.dnsId[row]!, out.dstPort[row]!)]
      if (
        one === undefined ||
        one.dnsId !== out.dnsId[row] ||
        one.clientPort !== out.dstPort[row] ||
        one.serverPort !== out.srcPort[row] ||
        one.type !== out.dnsType[row] ||
        one.interfaceId !== batch.interfaceId[row] ||
        out.ipProtocol[row] !== IPPROTO_UDP ||
        (out.dnsFlags[row]! & DNS_FLAG_TC) !== 0 ||
        batch.timeMicros[row]! - one.queryMicros > MAX_LATE_MICROS ||
        addresses.idOf(out.addresses, row << 3) !== one.serverId ||
        addresses.idOf(out.addresses, (row << 3) + 4) !== one.clientId
      ) {
        return undefined
      }
      const nameAt = out.dnsAt[row]! + DNS_HEADER_LEN
      if (names.intern(batch.bytes, nameAt, out.dnsEndAt[row]!, out.dnsNameHash[row]!) !== one.nameId) return undefined
      const rcode = out.dnsFlags[row]! & 0x0f
      const set = answers.read(batch, out, row)
      if (set === one.answers && rcode === one.rcode) return undefined
      const on = interfaces[one.interfaceId]
      const interfaceName = on?.name ?? on?.inputName ?? ''
      return {
        name: names.text(one.nameId),
        nameId: one.nameId,
        type: one.type,
        serverAddress: addresses.text(one.serverId),
        serverPort: one.serverPort,
        transport: 'udp',
        ipVersion: one.ipVersion,
        interfaceName,
        inputName: on?.inputName ?? '',
        outcome: 'answered',
        answers: textsOf(one.answers),
        rcode: one.rcode,
        queryMicros: one.queryMicros,
        queryFrame: one.queryFrame,
        otherAnswer: {
          kind: 'second',
          answers: textsOf(set),
          rcode,
          frame: batch.frameNumber[row]!,
          interfaceName,
        },
      }
    },
  }
}
