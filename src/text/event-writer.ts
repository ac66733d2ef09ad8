// Cold path. From facts to EVE lines: which fact becomes which event.
import { IPPROTO_UDP } from '../constants/wire.ts'
import type { DecodedBatch } from '../model/decoded-batch.ts'
import type { FactHandlers } from '../model/facts.ts'
import type { Finding } from '../model/finding.ts'
import { LAYER_NBNS } from '../model/layer.ts'
import type { PacketBatch } from '../model/packet-batch.ts'
import { readDnsMessage } from './dns-message.ts'
import { DnsTransactionIds } from './dns-transaction-ids.ts'
import { dnsEvent } from './event-dns.ts'
import { flowEvent } from './event-flow.ts'
import { fragmentEvent } from './event-fragment.ts'
import { httpEvent } from './event-http.ts'
import { icmpEvent } from './event-icmp.ts'
import { connectionEnvelope, type EventOptions, eventLine, rowEnvelope } from './event-line.ts'
import { quicEvent } from './event-quic.ts'
import { tlsEvent } from './event-tls.ts'

/** Handlers that write one line per event; `write` gets it without the newline. */
export function createEventWriter(write: (line: string) => void, options: EventOptions): FactHandlers {
  const transactions = new DnsTransactionIds()

  function dnsMessage(batch: PacketBatch, out: DecodedBatch, row: number): void {
    const layer = out.layer[row]!
    const message = readDnsMessage(batch.bytes, out.dnsAt[row]!, out.dnsEndAt[row]!, layer)
    if (message === undefined) return
    const event = rowEnvelope(batch, out, row, 'dns', options)
    const transactionId = transactions.take(event.flow_id)
    event.dns = dnsEvent(message, transactionId, layer === LAYER_NBNS)
    write(eventLine(event))
  }

  return {
    dnsMessage,
    dnsInsideTls: dnsMessage,
    icmpError(batch, out, row) {
      const event = rowEnvelope(batch, out, row, 'icmp', options)
      event.icmp = icmpEvent(batch, out, row)
      write(eventLine(event))
    },
    fragment(batch, out, row) {
      const event = rowEnvelope(batch, out, row, 'fragment', options)
      event.fragment = fragmentEvent(out, row)
      write(eventLine(event))
    },
    tls(fact) {
      // A message whose end was lost never became complete; one that the snap length cut is all there is.
      if (fact.partial === 'lost') return
      const event = connectionEnvelope(fact, 'tls', options)
      event.tls = tlsEvent(fact)
      write(eventLine(event))
    },
    quic(fact) {
      const event = connectionEnvelope(fact, 'quic', options, IPPROTO_UDP)
      event.quic = quicEvent(fact)
      write(eventLine(event))
    },
    httpExchange(requestSeen, response) {
      const request = requestSeen?.partial === 'lost' ? undefined : requestSeen
      if (request === undefined && response?.partial === 'lost') return
      // The later half completed the exchange.
      const fact = response ?? request
      if (fact === undefined) return
      const event = connectionEnvelope(fact, 'http', options)
      event.http = httpEvent(request, response, options.keepUrlQueries === true)
      write(eventLine(event))
    },
    flow(fact) {
      const event = connectionEnvelope(fact, 'flow', options, fact.ipProtocol)
      event.flow = flowEvent(fact)
      write(eventLine(event))
    },
  }
}

/** The line of a finding. Its time is already ISO 8601; EVE writes the zone as `+0000`. */
export function findingLine(finding: Finding): string {
  const { interface: interfaceName } = finding
  return eventLine({
    timestamp: finding.last.replace(/Z$/, '+0000'),
    ...(interfaceName === undefined ? {} : { in_iface: interfaceName }),
    event_type: 'finding',
    finding,
  })
}
