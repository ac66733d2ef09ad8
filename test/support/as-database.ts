// A database of address owners, made byte by byte as MaxMind's format says (MaxMind DB 2.0).
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** Fields of a row. */
export function text(value: string): number[] {
  const bytes = Buffer.from(value)
  return bytes.length < 29 ? [0x40 | bytes.length, ...bytes] : [0x40 | 29, bytes.length - 29, ...bytes]
}

export function number(value: number): number[] {
  return [0xc4, (value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff]
}

export function map(entries: [string, number[]][]): number[] {
  return [0xe0 | entries.length, ...entries.flatMap(([key, value]) => [...text(key), ...value])]
}

/** Writes a database with one /8 of IPv4 whose row is `row` to the folder, and gives its path. */
export function asDatabase(folder: string, firstOctet: number, row: number[]): string {
  const nodeCount = 8
  const nodes: number[] = []
  for (let bit = 0; bit < 8; bit++) {
    const set = ((firstOctet >> (7 - bit)) & 1) === 1
    const next = bit === 7 ? nodeCount + 16 : bit + 1
    const pair = set ? [nodeCount, next] : [next, nodeCount]
    for (const record of pair) nodes.push((record >>> 16) & 0xff, (record >>> 8) & 0xff, record & 0xff)
  }
  const metadata = map([
    ['node_count', number(nodeCount)],
    ['record_size', [0xa1, 24]],
    ['ip_version', [0xa1, 4]],
    ['database_type', text('ASN')],
    ['binary_format_major_version', [0xa1, 2]],
    ['build_epoch', number(1_700_000_000)],
  ])
  const marker = [0xab, 0xcd, 0xef, ...Buffer.from('MaxMind.com')]
  const path = join(folder, `${firstOctet}.mmdb`)
  writeFileSync(path, Buffer.from([...nodes, ...new Array(16).fill(0), ...row, ...marker, ...metadata]))
  return path
}
