// Cold path. A DNS message in a few words, as tcpdump writes it: `12345+ A? example.com`, `12345 NXDomain 0/1/0`.
import type { DnsMessage, DnsRecord } from './dns-message.ts'
import { dataText, nameOrRoot } from './dns-rdata-text.ts'
import { dnsOpcodeName, dnsRcodeName, dnsTypeName, netbiosTypeName } from './dns-tables.ts'

/** Answers that are written out; the counts tell of the rest. */
const MAX_SHOWN_ANSWERS = 6
/** Characters of one record's data; keys and signatures are long and say nothing here. */
const MAX_DATA_LEN = 80

/**
 * `+` recursion desired, `*` authoritative, `-` no recursion available, `|` truncated, `$` authentic data, `%` checking disabled.
 * `netbios` says that type numbers are NetBIOS's own, and that the bit of `%` means a broadcast (RFC 1002 4.2.1.1).
 */
export function dnsSummary(message: DnsMessage, netbios = false): string {
  const typeName = netbios ? netbiosTypeName : dnsTypeName
  const opcode = message.opcode === 0 ? '' : ` ${dnsOpcodeName(message.opcode)}`
  const questions = message.queries.map(({ name, type, unicastResponse }) => {
    return `${typeName(type)}${unicastResponse ? ' (QU)' : ''}? ${nameOrRoot(name)}`
  })
  if (!message.response) {
    const flags = (message.recursionDesired ? '+' : '') + (message.checkingDisabled && !netbios ? '%' : '')
    return [`${message.id}${flags}${opcode}`, ...questions].join(' ')
  }
  const flags =
    (message.authoritative ? '*' : '') +
    (message.recursionAvailable ? '' : '-') +
    (message.truncated ? '|' : '') +
    (message.authenticData ? '$' : '')
  const rcode = message.rcode === 0 ? '' : ` ${dnsRcodeName(message.rcode)}`
  const counts = `${message.answers.length}/${message.authorities.length}/${message.additionals.length}`
  const shown = message.answers.slice(0, MAX_SHOWN_ANSWERS).map((record) => recordText(record, typeName))
  if (message.answers.length > MAX_SHOWN_ANSWERS) shown.push('...')
  const answers = shown.length > 0 ? ` ${shown.join(', ')}` : ''
  return `${[`${message.id}${flags}${opcode}${rcode}`, ...questions].join(' ')} ${counts}${answers}`
}

function recordText(record: DnsRecord, typeName: (type: number) => string): string {
  const data = dataText(record.data)
  return `${typeName(record.type)} ${data.length > MAX_DATA_LEN ? `${data.slice(0, MAX_DATA_LEN)}...` : data}`
}
