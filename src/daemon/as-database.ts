// Who runs an address: an AS-number database in MaxMind's format that the operator names. It is read once and kept.
import { Reader } from 'mmdb-lib'
import type { AddressOwner, OwnerLookup } from '../model/address-owner.ts'
import { OperatorError } from '../model/operator-error.ts'
import { readBounded } from './bounded-file.ts'

/** Databases name the same things differently (GeoLite2-ASN, DB-IP, IPinfo, iptoasn). */
const ASN_FIELDS = ['autonomous_system_number', 'asn', 'as_number'] as const
const ORGANISATION_FIELDS = ['autonomous_system_organization', 'as_name', 'organization', 'name'] as const
const COUNTRY_FIELDS = ['country_code', 'country', 'iso_code'] as const
/** A database of all networks has some 100 MB. */
const MAX_DATABASE_LEN = 512 << 20
/** Resolvers are few. */
const MAX_REMEMBERED = 10_000

type Row = Record<string, unknown>

/**
 * Opens the database at `path`. The lookup never throws: an address that is not in it, or no address, has no owner.
 * @throws OperatorError when there is no such file, or it is no such database.
 */
export function openAsDatabase(path: string): OwnerLookup {
  let bytes: Buffer | undefined
  try {
    bytes = readBounded(path, MAX_DATABASE_LEN)
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'no such file' : (error as Error).message
    throw new OperatorError('as-database', `--as-database ${path}: ${reason}.`)
  }
  if (bytes === undefined) {
    throw new OperatorError(
      'as-database',
      `--as-database ${path}: more than ${MAX_DATABASE_LEN >> 20} MB; name a smaller one.`,
    )
  }
  let reader: Reader<never>
  try {
    reader = new Reader(bytes)
  } catch {
    throw new OperatorError('as-database', `--as-database ${path}: no MaxMind database (.mmdb).`)
  }
  const remembered = new Map<string, AddressOwner | undefined>()
  return (address) => {
    if (remembered.has(address)) return remembered.get(address)
    const owner = lookUp(reader, address)
    if (remembered.size < MAX_REMEMBERED) remembered.set(address, owner)
    return owner
  }
}

function lookUp(reader: Reader<never>, address: string): AddressOwner | undefined {
  let row: Row | null
  try {
    row = reader.get(address)
  } catch {
    return undefined
  }
  if (row === null || typeof row !== 'object') return undefined
  const owner: AddressOwner = {}
  const asn = Number(String(firstOf(row, ASN_FIELDS) ?? '').replace(/^AS/i, ''))
  if (Number.isInteger(asn) && asn > 0) owner.asn = asn
  const organisation = firstOf(row, ORGANISATION_FIELDS)
  if (typeof organisation === 'string' && organisation !== '') owner.organisation = organisation
  const country = firstOf(row, COUNTRY_FIELDS)
  const code = typeof country === 'object' && country !== null ? (country as Row)['iso_code'] : country
  if (typeof code === 'string' && /^[A-Za-z]{2}$/.test(code)) owner.country = code.toUpperCase()
  return Object.keys(owner).length === 0 ? undefined : owner
}

function firstOf(row: Row, fields: readonly string[]): unknown {
  return fields.map((field) => row[field]).find((value) => value !== undefined)
}
