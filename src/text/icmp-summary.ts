// Cold path. An ICMP message in a few words; an error with the packet it quotes.
import { IPPROTO_ICMPV6 } from '../constants/wire.ts'
import type { DecodedBatch } from '../model/decoded-batch.ts'
import type { PacketBatch } from '../model/packet-batch.ts'
import { protocolName } from './protocol-name.ts'
import { readQuotedText } from './quoted-packet.ts'

const ICMP_TYPE_NAMES: Readonly<Record<number, string>> = Object.freeze({
  0: 'echo reply',
  3: 'unreachable',
  4: 'source quench',
  5: 'redirect',
  8: 'echo request',
  9: 'router advertisement',
  10: 'router solicitation',
  11: 'time exceeded',
  12: 'parameter problem',
  13: 'timestamp request',
  14: 'timestamp reply',
})

/** RFC 792 and RFC 1812 5.2.7.1; index = code. */
const UNREACHABLE_CODES: readonly string[] = Object.freeze([
  'net',
  'host',
  'protocol',
  'port',
  'fragmentation needed',
  'source route failed',
  'net unknown',
  'host unknown',
  'source host isolated',
  'net prohibited',
  'host prohibited',
  'net for type of service',
  'host for type of service',
  'communication prohibited',
  'host precedence violation',
  'precedence cutoff',
])

const ICMPV6_TYPE_NAMES: Readonly<Record<number, string>> = Object.freeze({
  1: 'unreachable',
  2: 'packet too big',
  3: 'time exceeded',
  4: 'parameter problem',
  128: 'echo request',
  129: 'echo reply',
  130: 'multicast listener query',
  131: 'multicast listener report',
  132: 'multicast listener done',
  133: 'router solicitation',
  134: 'router advertisement',
  135: 'neighbor solicitation',
  136: 'neighbor advertisement',
  137: 'redirect',
  143: 'multicast listener report v2',
})

/** RFC 4443 3.1; index = code. */
const UNREACHABLE_CODES_V6: readonly string[] = Object.freeze([
  'no route',
  'prohibited',
  'beyond scope',
  'address',
  'port',
  'source address policy',
  'reject route',
])

/** `ICMP unreachable (fragmentation needed), mtu 1420, for TCP 192.0.2.1.443 > …`. */
export function icmpSummary(batch: PacketBatch, out: DecodedBatch, row: number): string {
  const isV6 = out.ipProtocol[row] === IPPROTO_ICMPV6
  const type = out.icmpType[row]!
  const code = out.icmpCode[row]!
  const name = (isV6 ? ICMPV6_TYPE_NAMES : ICMP_TYPE_NAMES)[type] ?? `type ${type}`
  const reasons = isV6 ? (type === 1 ? UNREACHABLE_CODES_V6 : undefined) : type === 3 ? UNREACHABLE_CODES : undefined
  const reason = reasons === undefined ? (code === 0 ? '' : ` (code ${code})`) : ` (${reasons[code] ?? `code ${code}`})`
  const mtu = out.icmpMtu[row] === 0 ? '' : `, mtu ${out.icmpMtu[row]}`
  return `${isV6 ? 'ICMP6' : 'ICMP'} ${name}${reason}${mtu}${quotedText(batch, out, row)}`
}

function quotedText(batch: PacketBatch, out: DecodedBatch, row: number): string {
  const quotedAt = out.quotedAt[row]!
  if (quotedAt === 0) return ''
  const quoted = readQuotedText(batch.bytes, quotedAt, batch.startAt[row]! + batch.capturedLen[row]!)
  if (quoted === undefined) return ''
  const port = (number: number | undefined) => (number === undefined ? '' : `.${number}`)
  return `, for ${protocolName(quoted.ipProtocol)} ${quoted.srcAddress}${port(quoted.srcPort)} > ${quoted.dstAddress}${port(quoted.dstPort)}`
}
