// Who runs an address on the internet: what an offline database of autonomous systems says of it.

export interface AddressOwner {
  /** Number of the autonomous system. */
  asn?: number
  organisation?: string
  /** ISO 3166-1, two letters. */
  country?: string
}

/** Looks an address up; undefined when the database does not know it. Never throws. */
export type OwnerLookup = (address: string) => AddressOwner | undefined
