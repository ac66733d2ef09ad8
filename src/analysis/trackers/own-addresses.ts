// Which of the addresses seen on an interface are this machine's own: by the capture's own marks, else by who takes part
// in everything.

/** What the sampled packets say of one address on one interface. */
export interface HostRecord {
  interfaceId: number
  addressId: number
  isIpv4: boolean
  /** An IPv4 address that stands for a host on the internet. */
  isPublicIpv4: boolean
  /** The Ethernet address it sends from, as a number; −1 when there is none or it never sent. */
  mac: number
  sent: number
  received: number
  initiated: number
  /** Times somebody opened a connection to it, or asked it a DNS question. */
  asked: number
  /** TCP connections opened to it, DNS aside. */
  opened: number
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
  const mac = isMarked ? -1 : ownMac(macs, all)
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
  const here = [...hosts].filter((record) => record.interfaceId === interfaceId)
  const mac = ownMac(macs, here)
  const sent = new Set<number>()
  for (const record of here) {
    if (record.markedOut > 0 || (mac >= 0 && record.mac === mac)) sent.add(record.addressId)
  }
  return sent
}

/** On its own interface a machine takes part in every frame; where two do, it is not the way to the internet. */
function ownMac(table: Map<number, MacRecord> | undefined, hosts: readonly HostRecord[]): number {
  const sides = sidesOf(hosts)
  let best = -1
  let bestRecord: MacRecord | undefined
  for (const [mac, record] of table ?? []) {
    const isBetter =
      bestRecord === undefined || isMoreLikelyOwn(record, bestRecord, sides.get(mac) ?? 0, sides.get(best) ?? 0)
    if (!isBetter) continue
    best = mac
    bestRecord = record
  }
  return best
}

/**
 * Who sends from private addresses only is on this side of a NAT. Who sends from one public address may be a machine that
 * has it; from several, the way to the internet.
 */
const NEAR = 1
const FAR = -1
const FARTHEST = -2

function sidesOf(hosts: readonly HostRecord[]): Map<number, number> {
  const sides = new Map<number, number>()
  for (const { mac, isIpv4, isPublicIpv4 } of hosts) {
    if (mac < 0 || !isIpv4) continue
    const side = sides.get(mac)
    if (isPublicIpv4) sides.set(mac, side === FAR || side === FARTHEST ? FARTHEST : FAR)
    else if (side === undefined) sides.set(mac, NEAR)
  }
  return sides
}

/** A tenth of difference in presence is within what broadcasts and ARP of others bring. */
function isMoreLikelyOwn(one: MacRecord, other: MacRecord, side: number, otherSide: number): boolean {
  if (one.seen * 10 > other.seen * 11) return true
  if (other.seen * 10 > one.seen * 11) return false
  if (side * otherSide === NEAR * FARTHEST) return side === NEAR
  if (one.initiated !== other.initiated) return one.initiated > other.initiated
  return side * otherSide < 0 ? side === NEAR : one.seen > other.seen
}

function mostInvolved(records: readonly HostRecord[]): HostRecord | undefined {
  let best: HostRecord | undefined
  for (const record of records) if (best === undefined || isMoreInvolved(record, best)) best = record
  return best
}

function isMoreInvolved(one: HostRecord, other: HostRecord): boolean {
  const packets = one.sent + one.received
  const otherPackets = other.sent + other.received
  if (packets !== otherPackets) return packets > otherPackets
  // A group address sends nothing.
  const areHosts = one.isIpv4 && one.sent > 0 && other.sent > 0
  if (areHosts && one.isPublicIpv4 !== other.isPublicIpv4) return other.isPublicIpv4
  return one.initiated > other.initiated
}
