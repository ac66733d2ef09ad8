// Which of the addresses seen on an interface are this machine's own: by the capture's own marks, else by who takes part
// in everything.

/** What the sampled packets say of one address on one interface. */
export interface HostRecord {
  interfaceId: number
  addressId: number
  isIpv4: boolean
  /** The Ethernet address it sends from, as a number; −1 when there is none or it never sent. */
  mac: number
  sent: number
  received: number
  initiated: number
  /** Times somebody opened a connection to it, or asked it a DNS question. */
  asked: number
  markedOut: number
}

/** How often an Ethernet address took part in sampled packets, and how often it started something. */
export interface MacRecord {
  seen: number
  initiated: number
}

/**
 * Ids of the machine's addresses on one interface. `declared` are known beforehand, and among IPv4 addresses the only
 * ones: what the machine forwards for others has its link-layer address too. `isMarked`: directions were captured.
 */
export function ownAddresses(
  interfaceId: number,
  declared: readonly number[],
  hosts: Iterable<HostRecord>,
  macs: Map<number, MacRecord> | undefined,
  isMarked: boolean,
): Set<number> {
  const own = new Set(declared)
  const all = [...hosts].filter((record) => record.interfaceId === interfaceId)
  const here = all.some((record) => record.isIpv4 && own.has(record.addressId))
    ? all.filter((record) => !record.isIpv4)
    : all
  const mac = isMarked ? -1 : ownMac(macs)
  for (const record of here) {
    if (isMarked ? record.markedOut > 0 : mac >= 0 && record.mac === mac) own.add(record.addressId)
  }
  if (!isMarked && mac < 0) {
    for (const isIpv4 of [true, false]) {
      const busiest = mostInvolved(here.filter((record) => record.isIpv4 === isIpv4))
      if (busiest !== undefined) own.add(busiest.addressId)
    }
  }
  return own
}

/** Ids of the addresses whose packets left this machine: marked so, or with its Ethernet address. */
export function sentByMachine(
  interfaceId: number,
  hosts: Iterable<HostRecord>,
  macs: Map<number, MacRecord> | undefined,
): Set<number> {
  const mac = ownMac(macs)
  const sent = new Set<number>()
  for (const record of hosts) {
    if (record.interfaceId !== interfaceId) continue
    if (record.markedOut > 0 || (mac >= 0 && record.mac === mac)) sent.add(record.addressId)
  }
  return sent
}

/** On its own interface a machine takes part in every frame; where two do, it is the one that asks. */
function ownMac(table: Map<number, MacRecord> | undefined): number {
  let best = -1
  let bestRecord: MacRecord | undefined
  for (const [mac, record] of table ?? []) {
    if (bestRecord === undefined || isMoreLikelyOwn(record, bestRecord)) {
      best = mac
      bestRecord = record
    }
  }
  return best
}

/** A tenth of difference in presence is within what broadcasts and ARP of others bring. */
function isMoreLikelyOwn(one: MacRecord, other: MacRecord): boolean {
  if (one.seen * 10 > other.seen * 11) return true
  if (other.seen * 10 > one.seen * 11) return false
  return one.initiated !== other.initiated ? one.initiated > other.initiated : one.seen > other.seen
}

function mostInvolved(records: readonly HostRecord[]): HostRecord | undefined {
  let best: HostRecord | undefined
  for (const record of records) {
    if (best === undefined) best = record
    else {
      const one = record.sent + record.received
      const other = best.sent + best.received
      if (one > other || (one === other && record.initiated > best.initiated)) best = record
    }
  }
  return best
}
