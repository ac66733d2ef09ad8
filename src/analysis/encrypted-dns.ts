// Encrypted DNS from end to end: the connections as the transport tells them, what DNS itself says of resolvers, and the
// judged facts that come out.
import { DNS_FLAG_QR, DNS_TYPE_SVCB, IPPROTO_UDP } from '../constants/wire.ts'
import type { ConnectionFact } from '../model/connection-facts.ts'
import type { DecodedBatch } from '../model/decoded-batch.ts'
import type { DnsExchange, EncryptedDnsFact } from '../model/dns-facts.ts'
import type { FactHandlers } from '../model/facts.ts'
import { LAYER_DNS } from '../model/layer.ts'
import type { PacketBatch } from '../model/packet-batch.ts'
import { addressText, parseAddress } from '../text/address.ts'
import { readDnsMessage } from '../text/dns-message.ts'
import type { JudgementContext } from './judgement/context.ts'
import { judgeEncrypted } from './judgement/encrypted.ts'
import { createResolverKnowledge } from './resolver-knowledge.ts'
import type { AddressTable } from './trackers/addresses.ts'
import { createEncryptedDnsTracker } from './trackers/encrypted-dns.ts'
import { OPAQUE_DTLS_HELLO, OPAQUE_NONE, opaqueDns } from './trackers/opaque-dns.ts'

export interface EncryptedDns {
  /** What the transport is to tell it. */
  readonly handlers: Pick<FactHandlers, 'tls' | 'quic' | 'flow'>
  /** HOT PATH. `flowId` is that of the packet's flow. */
  packet(batch: PacketBatch, out: DecodedBatch, row: number, flowId: number): void
  /** A DNS message: answers may announce resolvers (RFC 9461, RFC 9462). */
  dnsMessage(batch: PacketBatch, out: DecodedBatch, row: number): void
  /** A judged question and its answer: a resolver's name may have been asked for. */
  exchange(exchange: DnsExchange & { readonly answerIds: readonly number[] }): void
  /** Judges the connections that began before `timeMicros`. */
  settle(timeMicros: number): void
  end(): void
}

/** Protocols of RFC 9461 that stand for encrypted DNS: DoT, DoQ and those of DoH. */
const DNS_ALPN = /\b(dot|doq|h2|h3)\b/

/** `told` gets each fact judged, once, and gives back what to call when it was answered. `named`: resolvers that the operator names. */
export function createEncryptedDns(
  named: readonly string[],
  addresses: AddressTable,
  context: () => JudgementContext,
  told: (fact: EncryptedDnsFact, serverId: number) => () => void,
): EncryptedDns {
  const knowledge = createResolverKnowledge(named)
  const words = new Uint32Array(4)
  /** By name id: 1 a resolver's, 2 not. */
  let isResolverName = new Uint8Array(1 << 12)

  const tracker = createEncryptedDnsTracker(knowledge, (fact) => {
    const ids = { clientId: idOf(fact.clientAddress), serverId: idOf(fact.serverAddress) }
    judgeEncrypted(fact, ids, context())
    return told(fact, ids.serverId)
  })

  function idOf(address: string): number {
    words.set(parseAddress(address) ?? [0, 0, 0, 0])
    return addresses.intern(words, 0)
  }

  function asksForResolver(exchange: DnsExchange): boolean {
    const { nameId } = exchange
    if (nameId >= isResolverName.length) {
      const wider = new Uint8Array(Math.max(nameId + 1, isResolverName.length * 2))
      wider.set(isResolverName)
      isResolverName = wider
    }
    if (isResolverName[nameId] === 0) isResolverName[nameId] = knowledge.byName(exchange.name) === undefined ? 2 : 1
    return isResolverName[nameId] === 1
  }

  return {
    handlers: { tls: tracker.tls, quic: tracker.quic, flow: tracker.flow },
    packet(batch, out, row, flowId) {
      const kind = opaqueDns(batch.bytes, out, row)
      if (kind === OPAQUE_NONE) return
      if (kind === OPAQUE_DTLS_HELLO) tracker.datagram(placeOf(batch, out, row, flowId, true), 'dtls')
      else tracker.datagram(placeOf(batch, out, row, flowId, false), 'dnscrypt')
    },
    dnsMessage(batch, out, row) {
      if (out.dnsType[row] !== DNS_TYPE_SVCB || (out.dnsFlags[row]! & DNS_FLAG_QR) === 0) return
      const message = readDnsMessage(batch.bytes, out.dnsAt[row]!, out.dnsEndAt[row]!, LAYER_DNS)
      if (message === undefined || !message.queries[0]?.name.toLowerCase().startsWith('_dns.')) return
      const timeMicros = batch.timeMicros[row]!
      for (const { data } of message.answers) {
        if (data.kind !== 'svcb') continue
        const value = (name: string): string => data.params.find((one) => one.name === name)?.value ?? ''
        if (!DNS_ALPN.test(value('alpn'))) continue
        knowledge.learnName(data.target)
        for (const hint of `${value('ipv4hint')},${value('ipv6hint')}`.split(',')) {
          if (hint !== '') knowledge.learnAddress(hint, timeMicros)
        }
      }
    },
    exchange(exchange) {
      if (!asksForResolver(exchange) || exchange.responseMicros < 0) return
      for (const id of exchange.answerIds) knowledge.learnAddress(addresses.text(id), exchange.responseMicros)
    },
    settle: tracker.settle,
    end: tracker.end,
  }
}

function placeOf(
  batch: PacketBatch,
  out: DecodedBatch,
  row: number,
  flowId: number,
  sentByClient: boolean,
): ConnectionFact & { ipProtocol: number } {
  const word = row << 3
  const source = { address: addressText(out.addresses, word), port: out.srcPort[row]! }
  const destination = { address: addressText(out.addresses, word + 4), port: out.dstPort[row]! }
  const [client, server] = sentByClient ? [source, destination] : [destination, source]
  return {
    timeMicros: batch.timeMicros[row]!,
    frameNumber: batch.frameNumber[row]!,
    interfaceId: batch.interfaceId[row]!,
    flowId,
    clientAddress: client.address,
    clientPort: client.port,
    serverAddress: server.address,
    serverPort: server.port,
    ipVersion: out.ipVersion[row]!,
    ipProtocol: IPPROTO_UDP,
  }
}
