// Cold path. The `icmp` event: an ICMP error and the packet it quotes.
import type { DecodedBatch } from '../model/decoded-batch.ts'
import type { PacketBatch } from '../model/packet-batch.ts'
import { protocolName } from './protocol-name.ts'
import { readQuotedText } from './quoted-packet.ts'

/** `mtu` is there only when the message has one (RFC 1191 4, RFC 4443 3.2). */
export function icmpEvent(batch: PacketBatch, out: DecodedBatch, row: number): Record<string, unknown> {
  const event: Record<string, unknown> = { type: out.icmpType[row]!, code: out.icmpCode[row]! }
  const mtu = out.icmpMtu[row]!
  if (mtu !== 0) event.mtu = mtu
  const quotedAt = out.quotedAt[row]!
  if (quotedAt === 0) return event
  const quoted = readQuotedText(batch.bytes, quotedAt, batch.startAt[row]! + batch.capturedLen[row]!)
  if (quoted === undefined) return event
  event.quoted = {
    src_ip: quoted.srcAddress,
    ...(quoted.srcPort === undefined ? {} : { src_port: quoted.srcPort }),
    dest_ip: quoted.dstAddress,
    ...(quoted.dstPort === undefined ? {} : { dest_port: quoted.dstPort }),
    proto: protocolName(quoted.ipProtocol),
  }
  return event
}
