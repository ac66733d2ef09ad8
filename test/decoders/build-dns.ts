// DNS messages built byte by byte, and one message decoded on its own in memory that ends where it ends.
import { createCursor } from '../../src/decoders/cursor.ts'
import { decodeDns } from '../../src/decoders/dns.ts'
import { createDecodedBatch, type DecodedBatch } from '../../src/model/decoded-batch.ts'
import { LAYER_DNS } from '../../src/model/layer.ts'
import { ascii, type Bytes, be16, be32, concat } from './build-packet.ts'

/** `a.b` as labels and root; '' is the root. No escapes. */
export function wireName(name: string): Bytes {
  if (name === '') return concat(0)
  return concat(...name.split('.').flatMap((label) => [label.length, ascii(label)]), 0)
}

/** A compression pointer, with labels before it. */
export function pointer(target: number, ...labels: string[]): Bytes {
  return concat(...labels.flatMap((label) => [label.length, ascii(label)]), be16(0xc000 | target))
}

export function question(name: string | Bytes, type = 1, dnsClass = 1): Bytes {
  return concat(typeof name === 'string' ? wireName(name) : name, be16(type), be16(dnsClass))
}

export function record(name: string | Bytes, type: number, data: Bytes, ttl = 300, dnsClass = 1): Bytes {
  const owner = typeof name === 'string' ? wireName(name) : name
  return concat(owner, be16(type), be16(dnsClass), be32(ttl), be16(data.length), data)
}

export interface MessageParts {
  id?: number
  flags?: number
  questions?: Bytes[]
  answers?: Bytes[]
  authorities?: Bytes[]
  additionals?: Bytes[]
  /** Overrides the true counts. */
  counts?: [number, number, number, number]
}

export function message(parts: MessageParts): Bytes {
  const sections = [parts.questions ?? [], parts.answers ?? [], parts.authorities ?? [], parts.additionals ?? []]
  const counts = parts.counts ?? sections.map((section) => section.length)
  return concat(be16(parts.id ?? 0x1234), be16(parts.flags ?? 0x0100), ...counts.map(be16), ...sections.flat())
}

/** Decodes one message alone; `wireLen` is greater than its length when the capture cut it. */
export function decodeMessage(bytes: Bytes, layer = LAYER_DNS, wireLen = bytes.length): DecodedBatch {
  const out = createDecodedBatch(1)
  const cursor = createCursor()
  cursor.bytes = new Uint8Array(bytes)
  cursor.endAt = bytes.length
  cursor.wireEndAt = wireLen
  decodeDns(cursor, out, 0, layer)
  return out
}
