// Owners of addresses from a database that is made here, byte by byte as MaxMind's format says (MaxMind DB 2.0).
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openAsDatabase } from '../../src/daemon/as-database.ts'

const folder = mkdtempSync(join(tmpdir(), 'as-database-'))
afterAll(() => rmSync(folder, { recursive: true }))

function text(value: string): number[] {
  const bytes = Buffer.from(value)
  return bytes.length < 29 ? [0x40 | bytes.length, ...bytes] : [0x40 | 29, bytes.length - 29, ...bytes]
}

function number(value: number): number[] {
  return [0xc4, (value >>> 24) & 0xff, (value >>> 16) & 0xff, (value >>> 8) & 0xff, value & 0xff]
}

function map(entries: [string, number[]][]): number[] {
  return [0xe0 | entries.length, ...entries.flatMap(([key, value]) => [...text(key), ...value])]
}

/** A database with one /8 of IPv4 whose row is `row`. */
function database(firstOctet: number, row: number[]): string {
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

test('number, organisation and country, in the words of GeoLite2', () => {
  const row = map([
    ['autonomous_system_number', number(64_500)],
    ['autonomous_system_organization', text('Example Net')],
  ])
  const ownerOf = openAsDatabase(database(9, row))
  expect(ownerOf('9.9.9.9')).toEqual({ asn: 64_500, organisation: 'Example Net' })
  expect(ownerOf('8.8.8.8')).toBeUndefined()
  expect(ownerOf('no address')).toBeUndefined()
})

test('the words of other databases', () => {
  const row = map([
    ['asn', text('AS64501')],
    ['as_name', text('Other')],
    ['country', text('de')],
  ])
  expect(openAsDatabase(database(10, row))('10.1.2.3')).toEqual({ asn: 64_501, organisation: 'Other', country: 'DE' })
})

test('a file that is not there, or no database, is told in one sentence', () => {
  expect(() => openAsDatabase(join(folder, 'none.mmdb'))).toThrow(/none\.mmdb: no such file\./)
  const path = join(folder, 'text.mmdb')
  writeFileSync(path, 'no database')
  expect(() => openAsDatabase(path)).toThrow(/no MaxMind database/)
})
