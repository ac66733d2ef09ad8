// Owners of addresses from a database that is made here.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openAsDatabase } from '../../src/daemon/as-database.ts'
import { asDatabase, map, number, text } from '../support/as-database.ts'

const folder = mkdtempSync(join(tmpdir(), 'as-database-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('number, organisation and country, in the words of GeoLite2', () => {
  const row = map([
    ['autonomous_system_number', number(64_500)],
    ['autonomous_system_organization', text('Example Net')],
  ])
  const ownerOf = openAsDatabase(asDatabase(folder, 9, row))
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
  expect(openAsDatabase(asDatabase(folder, 10, row))('10.1.2.3')).toEqual({
    asn: 64_501,
    organisation: 'Other',
    country: 'DE',
  })
})

test('a file that is not there, or no database, is told in one sentence', () => {
  expect(() => openAsDatabase(join(folder, 'none.mmdb'))).toThrow(/none\.mmdb: no such file\./)
  const path = join(folder, 'text.mmdb')
  writeFileSync(path, 'no database')
  expect(() => openAsDatabase(path)).toThrow(/no MaxMind database/)
  // A device gives bytes for ever.
  expect(() => openAsDatabase('/dev/zero')).toThrow(/more than 512 MB/)
})
