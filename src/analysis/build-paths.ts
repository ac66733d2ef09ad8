// The paths of the report: what each destination's path takes, as far as the packets show. Cold path.
import { TCP_HEADERS_V4, TCP_HEADERS_V6 } from '../constants/tunnel-overhead.ts'
import type { ReportPath, ReportPathDirection } from '../model/report.ts'
import type { AddressTable } from './trackers/addresses.ts'
import {
  type PathTable,
  SIZE_CLASS_SHIFT,
  SIZE_CLASSES,
  SMALL_PACKET_LEN,
  sizeClassOf,
  sumOfClasses,
} from './trackers/path-table.ts'

/** Paths listed; those in trouble come first, then the busiest. */
const MAX_REPORTED = 500
/** What every IPv6 path takes (RFC 8200 5), and most tunnels. */
const MEDIUM_PACKET_LEN = 1280
/** Less loss than this is not shown in the picture. */
const SHOWN_LOSS = 0.02

/** `nameOf` gives the name shown for an interface. */
export function reportPaths(
  paths: PathTable,
  addresses: AddressTable,
  nameOf: (interfaceId: number) => string,
): ReportPath[] {
  const made: ReportPath[] = []
  for (let path = 1; path < paths.count; path++) made.push(reportPath(paths, addresses, nameOf, path))
  const trouble = (one: ReportPath): number => (one.mtu !== undefined || one.mtuBelow !== undefined ? 1 : 0)
  return made.sort((a, b) => trouble(b) - trouble(a) || b.connections - a.connections).slice(0, MAX_REPORTED)
}

function reportPath(
  paths: PathTable,
  addresses: AddressTable,
  nameOf: (interfaceId: number) => string,
  path: number,
): ReportPath {
  const made: ReportPath = {
    destination: addresses.text(paths.addressId[path]!),
    interface: nameOf(paths.interfaceId[path]!),
    connections: paths.connections[path]!,
    toServer: directionOf(paths, path * 2),
    toClient: directionOf(paths, path * 2 + 1),
  }
  const headers = addresses.isIpv4(paths.addressId[path]!) ? TCP_HEADERS_V4 : TCP_HEADERS_V6
  const clientMss = paths.mss[path * 2]!
  const serverMss = paths.mss[path * 2 + 1]!
  if (clientMss !== 0) made.mssToServer = clientMss
  if (serverMss !== 0) made.mssToClient = serverMss
  if (clientMss !== 0 && serverMss !== 0) made.fullPacket = Math.min(clientMss, serverMss) + headers
  const roundTrip = paths.minRoundTrip[path]!
  if (roundTrip > 0) made.rttMs = Number((roundTrip / 1000).toPrecision(3))
  const told = paths.nextHopMtu[path]!
  if (told !== 0) made.mtu = told
  const { toServer, toClient } = made
  const died = [toServer, toClient].filter((one) => one.smallestLost !== undefined)
  if (died.length > 0) made.mtuBelow = Math.min(...died.map((one) => one.smallestLost!))
  // Where a size dies, the bracket is that of the direction it dies in; otherwise the better direction shows the most.
  const least = Math.min(...died.map((one) => one.largestDelivered ?? 0))
  const most = Math.max(toServer.largestDelivered ?? 0, toClient.largestDelivered ?? 0)
  const atLeast = died.length > 0 ? least : most
  if (atLeast > 0) made.mtuAtLeast = atLeast
  return made
}

function directionOf(paths: PathTable, direction: number): ReportPathDirection {
  const small = sizeClassOf(SMALL_PACKET_LEN)
  const medium = sizeClassOf(MEDIUM_PACKET_LEN)
  const figures = (from: number, to: number) => ({
    segments: sumOfClasses(paths.sentByClass, direction, from, to),
    resent: sumOfClasses(paths.lostByClass, direction, from, to),
  })
  const made: ReportPathDirection = {
    ...figures(0, SIZE_CLASSES),
    small: figures(0, small),
    medium: figures(small, medium),
    large: figures(medium, SIZE_CLASSES),
    sizes: pictureOf(paths, direction),
  }
  const delivered = paths.delivered[direction]!
  const lost = paths.lost[direction]!
  if (delivered !== 0) made.largestDelivered = delivered
  if (lost !== 0) made.smallestLost = lost
  return made
}

/**
 * One character for each 64 bytes of size, from 0 on: `.` none sent, `+` passed, `~` passed with losses, `x` died,
 * `?` sent and not known to have arrived.
 */
function pictureOf(paths: PathTable, direction: number): string {
  const delivered = paths.delivered[direction]!
  const lost = paths.lost[direction]!
  let picture = ''
  for (let index = 0; index < SIZE_CLASSES; index++) {
    const sent = paths.sentByClass[direction * SIZE_CLASSES + index]!
    const resent = paths.lostByClass[direction * SIZE_CLASSES + index]!
    if (lost !== 0 && index >= sizeClassOf(lost)) picture += sent > 0 || index === sizeClassOf(lost) ? 'x' : '.'
    else if (sent === 0) picture += '.'
    else if (index << SIZE_CLASS_SHIFT > delivered) picture += '?'
    else picture += resent > sent * SHOWN_LOSS ? '~' : '+'
  }
  return picture
}
