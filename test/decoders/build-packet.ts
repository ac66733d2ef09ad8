// Packets made by hand, layer by layer: every function gives the bytes of one header followed by its payload, lengths
// filled in unless the caller lies about them on purpose. Checksums stay 0: the decoders do not judge them.

import { decodeBatch } from '../../src/decoders/decode-batch.ts'
import { createDecodedBatch, type DecodedBatch } from '../../src/model/decoded-batch.ts'
import { createPacketBatch, type PacketBatch } from '../../src/model/packet-batch.ts'

export type Bytes = Uint8Array

/** Joins byte runs; numbers are single bytes. */
export function concat(...parts: (Bytes | readonly number[] | number)[]): Bytes {
  const bytes = new Uint8Array(
    parts.reduce<number>((len, part) => len + (typeof part === 'number' ? 1 : part.length), 0),
  )
  let at = 0
  for (const part of parts) {
    if (typeof part === 'number') bytes[at++] = part
    else {
      bytes.set(part, at)
      at += part.length
    }
  }
  return bytes
}

export function be16(value: number): number[] {
  return [(value >>> 8) & 0xff, value & 0xff]
}

export function be32(value: number): number[] {
  return [(value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff]
}

export function le32(value: number): number[] {
  return be32(value).reverse()
}

/** Hexadecimal digits, blanks allowed. */
export function hex(text: string): Bytes {
  return Uint8Array.from((text.replace(/\s+/g, '').match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16)))
}

/** Text as bytes, for payloads. */
export function ascii(text: string): Bytes {
  return new TextEncoder().encode(text)
}

/** `192.0.2.1` as four bytes, `2001:db8::1` as sixteen. */
export function address(text: string): number[] {
  if (!text.includes(':')) return text.split('.').map(Number)
  const [head = '', tail] = text.split('::')
  const words = (part: string) => (part === '' ? [] : part.split(':').map((word) => Number.parseInt(word, 16)))
  const left = words(head)
  const right = tail === undefined ? [] : words(tail)
  return [...left, ...new Array<number>(8 - left.length - right.length).fill(0), ...right].flatMap(be16)
}

export function ethernet(type: number, payload: Bytes, destination = [2, 0, 0, 0, 0, 2]): Bytes {
  return concat(destination, [2, 0, 0, 0, 0, 1], be16(type), payload)
}

/** The four bytes of a VLAN tag that follow the outer EtherType. */
export function vlanTag(id: number, type: number, payload: Bytes): Bytes {
  return concat(be16(id), be16(type), payload)
}

export interface Ipv4Options {
  src?: string
  dst?: string
  ttl?: number
  id?: number
  dontFragment?: boolean
  moreFragments?: boolean
  /** Bytes, a multiple of 8. */
  fragmentOffset?: number
  /** Multiple of 4 bytes. */
  options?: readonly number[]
  /** Overrides the true total length. */
  totalLen?: number
  /** Overrides the first byte (version and header length). */
  firstByte?: number
}

export function ipv4(protocol: number, payload: Bytes, o: Ipv4Options = {}): Bytes {
  const options = o.options ?? []
  const headerLen = 20 + options.length
  const fragment = (o.dontFragment ? 0x4000 : 0) | (o.moreFragments ? 0x2000 : 0) | ((o.fragmentOffset ?? 0) >> 3)
  return concat(
    o.firstByte ?? 0x40 | (headerLen >> 2),
    0,
    be16(o.totalLen ?? headerLen + payload.length),
    be16(o.id ?? 0x1234),
    be16(fragment),
    o.ttl ?? 64,
    protocol,
    [0, 0],
    address(o.src ?? '192.0.2.1'),
    address(o.dst ?? '198.51.100.2'),
    options,
    payload,
  )
}

export interface Ipv6Options {
  src?: string
  dst?: string
  hopLimit?: number
  /** Overrides the true payload length. */
  payloadLen?: number
}

export function ipv6(nextHeader: number, payload: Bytes, o: Ipv6Options = {}): Bytes {
  return concat(
    [0x60, 0, 0, 0],
    be16(o.payloadLen ?? payload.length),
    nextHeader,
    o.hopLimit ?? 64,
    address(o.src ?? '2001:db8::1'),
    address(o.dst ?? '2001:db8::2'),
    payload,
  )
}

/** Hop-by-hop, destination options, routing …: a header of the common form; `body` fills it up after two bytes. */
export function extension(nextHeader: number, body: readonly number[], payload: Bytes): Bytes {
  const padded = [...body]
  while ((padded.length + 2) % 8 !== 0) padded.push(0)
  return concat(nextHeader, (padded.length + 2) / 8 - 1, padded, payload)
}

export function fragmentHeader(nextHeader: number, offset: number, more: boolean, id: number, payload: Bytes): Bytes {
  return concat(nextHeader, 0, be16(offset | (more ? 1 : 0)), be32(id), payload)
}

export function udp(srcPort: number, dstPort: number, payload: Bytes, length = 8 + payload.length): Bytes {
  return concat(be16(srcPort), be16(dstPort), be16(length), [0, 0], payload)
}

export interface TcpOptions {
  seq?: number
  ack?: number
  flags?: number
  window?: number
  /** Padded to a multiple of 4 with zeros. */
  options?: readonly number[]
  /** Overrides the data offset, in 4-byte words. */
  dataOffset?: number
}

export function tcp(srcPort: number, dstPort: number, payload: Bytes, o: TcpOptions = {}): Bytes {
  const options = [...(o.options ?? [])]
  while (options.length % 4 !== 0) options.push(0)
  return concat(
    be16(srcPort),
    be16(dstPort),
    be32(o.seq ?? 1000),
    be32(o.ack ?? 0),
    (o.dataOffset ?? 5 + options.length / 4) << 4,
    o.flags ?? 0x10,
    be16(o.window ?? 65_535),
    [0, 0, 0, 0],
    options,
    payload,
  )
}

/** ICMP or ICMPv6: `rest` is the 32-bit word after the checksum (identifier, MTU …). */
export function icmp(type: number, code: number, rest: number, payload: Bytes): Bytes {
  return concat(type, code, [0, 0], be32(rest), payload)
}

/** A DNS query for one name, without additional records. */
export function dnsQuery(id: number, name: string, type = 1): Bytes {
  const labels = name.split('.').flatMap((label) => [label.length, ...ascii(label)])
  return concat(be16(id), be16(0x0100), be16(1), [0, 0, 0, 0, 0, 0], labels, 0, be16(type), be16(1))
}

export interface BatchPacket {
  bytes: Bytes
  linkType?: number
  /** Bytes on the wire; the captured length when absent. */
  wireLen?: number
  timeMicros?: number
  interfaceId?: number
  direction?: number
  frameNumber?: number
}

/** A batch with these packets back to back. */
export function batchOf(packets: readonly BatchPacket[]): PacketBatch {
  const batch = createPacketBatch(Math.max(1, packets.length))
  batch.bytes = concat(...packets.map((packet) => packet.bytes))
  let at = 0
  for (const [row, packet] of packets.entries()) {
    batch.startAt[row] = at
    batch.capturedLen[row] = packet.bytes.length
    batch.wireLen[row] = packet.wireLen ?? packet.bytes.length
    batch.linkType[row] = packet.linkType ?? 1
    batch.timeMicros[row] = packet.timeMicros ?? row
    batch.interfaceId[row] = packet.interfaceId ?? 0
    batch.direction[row] = packet.direction ?? 0
    batch.frameNumber[row] = packet.frameNumber ?? row + 1
    at += packet.bytes.length
  }
  batch.count = packets.length
  return batch
}

/** Decodes one packet into row 0 of a fresh batch. */
export function decodeOne(bytes: Bytes, linkType = 1, wireLen = bytes.length): DecodedBatch {
  const out = createDecodedBatch(1)
  decodeBatch(batchOf([{ bytes, linkType, wireLen }]), out)
  return out
}

/** Row 0 as plain numbers, addresses as words: what a test compares. */
export function rowOf(out: DecodedBatch, row = 0): Record<string, number | number[]> {
  const record: Record<string, number | number[]> = {}
  for (const [name, column] of Object.entries(out)) {
    if (name === 'addresses') record[name] = [...out.addresses.subarray(row * 8, row * 8 + 8)]
    else if (ArrayBuffer.isView(column)) record[name] = (column as Uint8Array)[row]!
  }
  return record
}
