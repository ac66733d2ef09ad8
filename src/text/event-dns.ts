// Cold path. The `dns` event, version 3 of Suricata's shape (its userguide, "EVE JSON Format", DNS).
import type { DnsData } from './dns-data.ts'
import type { DnsMessage, DnsRecord } from './dns-message.ts'
import { dataText } from './dns-rdata-text.ts'
import { dnsRcodeName, dnsTypeName, netbiosTypeName } from './dns-tables.ts'

const EVENT_VERSION = 3
/** The header's four bits; OPT has eight more (RFC 6891 6.1.3). */
const HEADER_RCODE_MASK = 0x0f

/**
 * The event's `dns` object. Flags that are not set are left out, as are empty sections; `rcode` belongs to responses:
 * the header's, as in Suricata; `extended_rcode` is there when OPT extends it.
 * `netbios` says that type numbers are NetBIOS's own.
 */
export function dnsEvent(message: DnsMessage, transactionId: number, netbios: boolean): Record<string, unknown> {
  const event: Record<string, unknown> = {
    version: EVENT_VERSION,
    type: message.response ? 'response' : 'request',
    tx_id: transactionId,
    id: message.id,
    flags: message.flags.toString(16),
  }
  if (message.response) event.qr = true
  if (message.authoritative) event.aa = true
  if (message.truncated) event.tc = true
  if (message.recursionDesired) event.rd = true
  if (message.recursionAvailable) event.ra = true
  if (message.reserved) event.z = true
  event.opcode = message.opcode
  if (message.response) {
    event.rcode = dnsRcodeName(message.rcode & HEADER_RCODE_MASK)
    if (message.rcode > HEADER_RCODE_MASK) event.extended_rcode = dnsRcodeName(message.rcode)
  }
  const typeName = netbios ? netbiosTypeName : dnsTypeName
  event.queries = message.queries.map(({ name, type }) => ({
    rrname: name,
    rrtype: typeName(type),
    rrtype_code: type,
  }))
  for (const [section, records] of [
    ['answers', message.answers],
    ['authorities', message.authorities],
    ['additionals', message.additionals],
  ] as const) {
    if (records.length > 0) event[section] = records.flatMap((record) => recordEvents(record, typeName))
  }
  return event
}

/** Suricata writes one entry for each string of a TXT record. */
function recordEvents(record: DnsRecord, typeName: (type: number) => string): Record<string, unknown>[] {
  const entry = { rrname: record.name, rrtype: typeName(record.type), ttl: record.ttl }
  const { data } = record
  if (data.kind === 'strings' && data.strings.length > 0) return data.strings.map((rdata) => ({ ...entry, rdata }))
  return [{ ...entry, rdata: shortText(data), ...detail(data) }]
}

/** Suricata's `rdata` of a name or an exchange is the name alone. */
function shortText(data: DnsData): string {
  if (data.kind === 'name') return data.name
  if (data.kind === 'mx') return data.exchange
  return dataText(data)
}

/** Types that Suricata gives an object of their own, under its field names. */
function detail(data: DnsData): Record<string, unknown> {
  switch (data.kind) {
    case 'soa': {
      const { kind: _, ...soa } = data
      return { soa }
    }
    case 'srv':
      return { srv: { priority: data.priority, weight: data.weight, port: data.port, name: data.target } }
    case 'sshfp':
      return { sshfp: { fingerprint: data.fingerprint, algo: data.algorithm, type: data.fingerprintType } }
    case 'opt':
      return { opt: data.options.map(({ code, hex }) => ({ code, data: hex })) }
    default:
      return {}
  }
}
