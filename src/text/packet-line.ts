// Cold path. One line a packet, in tcpdump's manner: time, interface, direction, addresses, and what the packet says.
import {
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_TCP,
  IPPROTO_UDP,
  TCP_ACK,
  TCP_CWR,
  TCP_ECE,
  TCP_FIN,
  TCP_PSH,
  TCP_RST,
  TCP_SYN,
  TCP_URG,
} from '../constants/wire.ts'
import type { CaptureInterface } from '../model/capture-interface.ts'
import {
  type DecodedBatch,
  NO_WINDOW_SCALE,
  ROW_DF,
  ROW_FRAGMENT,
  ROW_MF,
  ROW_RECEIVED,
  ROW_SENT,
  ROW_TCP_SACK_PERMITTED,
} from '../model/decoded-batch.ts'
import { LAYER_DNS, LAYER_DONE, LAYER_IPV4, LAYER_IPV6, LAYER_NAMES, LAYER_NBNS } from '../model/layer.ts'
import { FAULT_NAMES } from '../model/malformed.ts'
import { DIRECTION_IN, DIRECTION_OUT, type PacketBatch } from '../model/packet-batch.ts'
import { addressText } from './address.ts'
import { u32 } from './binary-text.ts'
import { readDnsMessage } from './dns-message.ts'
import { dnsSummary } from './dns-summary.ts'
import { escapeForTerminal } from './escape.ts'
import { icmpSummary } from './icmp-summary.ts'
import { protocolName } from './protocol-name.ts'
import { lineTime } from './timestamp.ts'

const TCP_FLAG_LETTERS: readonly (readonly [number, string])[] = [
  [TCP_FIN, 'F'],
  [TCP_SYN, 'S'],
  [TCP_RST, 'R'],
  [TCP_PSH, 'P'],
  [TCP_ACK, '.'],
  [TCP_URG, 'U'],
  [TCP_ECE, 'E'],
  [TCP_CWR, 'W'],
]

/** The line of one row, without the newline: printable, whatever the packet holds. */
export function packetLine(
  batch: PacketBatch,
  out: DecodedBatch,
  row: number,
  interfaces: readonly CaptureInterface[],
): string {
  const interfaceId = batch.interfaceId[row]!
  const name = interfaces[interfaceId]?.name
  const parts = [lineTime(batch.timeMicros[row]!)]
  parts.push(name === undefined ? `#${interfaceId}` : escapeForTerminal(name))
  const direction = directionText(batch, out, row)
  if (direction !== '') parts.push(direction)
  if (out.vlanId[row] !== 0) parts.push(`vlan ${out.vlanId[row]}`)
  if (out.depth[row] !== 0)
    parts.push(`in ${LAYER_NAMES[out.outerLayer[row]!]}${out.depth[row]! > 1 ? ' (nested)' : ''}`)
  parts.push(bodyText(batch, out, row))
  const fault = out.fault[row]!
  if (fault !== 0) parts.push(`[malformed: ${FAULT_NAMES[fault]} at ${out.faultAt[row]}]`)
  const capturedLen = batch.capturedLen[row]!
  if (capturedLen < batch.wireLen[row]!) parts.push(`[cut: ${capturedLen} of ${batch.wireLen[row]}]`)
  return parts.join(' ')
}

function directionText(batch: PacketBatch, out: DecodedBatch, row: number): string {
  const direction = batch.direction[row]!
  if (direction === DIRECTION_OUT || (out.flags[row]! & ROW_SENT) !== 0) return 'Out'
  if (direction === DIRECTION_IN || (out.flags[row]! & ROW_RECEIVED) !== 0) return 'In'
  return ''
}

function bodyText(batch: PacketBatch, out: DecodedBatch, row: number): string {
  if (out.ipVersion[row] === 0) {
    return `${linkText(out, row)}, length ${batch.wireLen[row]}`
  }
  const word = row << 3
  const withPorts = out.srcPort[row] !== 0 || out.dstPort[row] !== 0
  const source = addressText(out.addresses, word) + (withPorts ? `.${out.srcPort[row]}` : '')
  const destination = addressText(out.addresses, word + 4) + (withPorts ? `.${out.dstPort[row]}` : '')
  return `${out.ipVersion[row] === 4 ? 'IP' : 'IP6'} ${source} > ${destination}: ${payloadText(batch, out, row)}`
}

/** What stands below IP, or instead of it. */
function linkText(out: DecodedBatch, row: number): string {
  const layer = out.layer[row]!
  const number = out.unknownNumber[row]!
  if (layer === LAYER_DONE) return out.unknown[row] === 0 ? 'packet' : `link type ${number}`
  const unknown = out.unknown[row] === 0 ? '' : ` type 0x${number.toString(16).padStart(4, '0')}`
  return `${LAYER_NAMES[layer] ?? 'packet'}${unknown}`
}

function payloadText(batch: PacketBatch, out: DecodedBatch, row: number): string {
  const flags = out.flags[row]!
  const protocol = out.ipProtocol[row]!
  const length = out.payloadWireLen[row]!
  if ((flags & ROW_FRAGMENT) !== 0) {
    const more = (flags & ROW_MF) !== 0 ? '+' : ''
    return `frag id ${out.ipId[row]}, offset ${out.fragmentOffset[row]}${more}, ${protocolName(protocol)}, length ${length}`
  }
  const layer = out.layer[row]!
  // Of a header that was cut off, or cannot be right, nothing is known but where it begins.
  if ((layer === LAYER_IPV4 || layer === LAYER_IPV6) && out.payloadAt[row] === 0 && out.transportAt[row] !== 0) {
    return `${protocolName(protocol)}, length ${out.ipAt[row]! + out.ipLen[row]! - out.transportAt[row]!}`
  }
  if (layer >= LAYER_DNS && layer <= LAYER_NBNS) {
    const message = readDnsMessage(batch.bytes, out.dnsAt[row]!, out.dnsEndAt[row]!, layer)
    const name = layer === LAYER_DNS ? '' : `${LAYER_NAMES[layer]} `
    if (message !== undefined) return `${name}${dnsSummary(message, layer === LAYER_NBNS)} (${length})`
  }
  if (protocol === IPPROTO_TCP && out.transportAt[row] !== 0) return tcpText(batch, out, row)
  if (protocol === IPPROTO_ICMP || protocol === IPPROTO_ICMPV6) {
    const messageLen = out.payloadAt[row]! + length - out.transportAt[row]!
    return `${icmpSummary(batch, out, row)}, length ${messageLen}`
  }
  if (protocol === IPPROTO_UDP) return `UDP, length ${length}`
  const dontFragment = (flags & ROW_DF) !== 0 ? ' [DF]' : ''
  return `${protocolName(protocol)}${dontFragment}, length ${length}`
}

/** Sequence numbers are the wire's own: without the connection's first packet nothing else would be true. */
function tcpText(batch: PacketBatch, out: DecodedBatch, row: number): string {
  const flags = out.tcpFlags[row]!
  const length = out.payloadWireLen[row]!
  const seq = out.tcpSeq[row]!
  const letters = TCP_FLAG_LETTERS.map(([bit, letter]) => ((flags & bit) !== 0 ? letter : '')).join('')
  const parts = [`Flags [${letters === '' ? 'none' : letters}]`]
  if (length > 0) parts.push(`seq ${seq}:${(seq + length) >>> 0}`)
  else if ((flags & (TCP_SYN | TCP_FIN | TCP_RST)) !== 0) parts.push(`seq ${seq}`)
  if ((flags & TCP_ACK) !== 0) parts.push(`ack ${out.tcpAck[row]}`)
  parts.push(`win ${out.tcpWindow[row]}`)
  const options = tcpOptionsText(batch, out, row)
  if (options !== '') parts.push(`options [${options}]`)
  parts.push(`length ${length}`)
  return parts.join(', ')
}

function tcpOptionsText(batch: PacketBatch, out: DecodedBatch, row: number): string {
  const options: string[] = []
  if (out.tcpMss[row] !== 0) options.push(`mss ${out.tcpMss[row]}`)
  if ((out.flags[row]! & ROW_TCP_SACK_PERMITTED) !== 0) options.push('sackOK')
  // Only a SYN may carry the option (RFC 7323 2.2); other rows may never have written the column.
  if ((out.tcpFlags[row]! & TCP_SYN) !== 0 && out.tcpWindowScale[row] !== NO_WINDOW_SCALE) {
    options.push(`wscale ${out.tcpWindowScale[row]}`)
  }
  const sackAt = out.sackAt[row]!
  const blocks: string[] = []
  for (let i = 0; i < out.sackCount[row]!; i++) {
    blocks.push(`{${u32(batch.bytes, sackAt + i * 8)}:${u32(batch.bytes, sackAt + i * 8 + 4)}}`)
  }
  if (blocks.length > 0) options.push(`sack ${blocks.length} ${blocks.join('')}`)
  return options.join(',')
}
