// HOT PATH. What each interface carried: packets, bytes, times, families, and whose addresses are this machine's own.
import { HOST_SAMPLE_PACKETS, MAX_HOSTS, MAX_SILENCES, SILENCE_MICROS } from '../../constants/limits.ts'
import { IPPROTO_TCP, LINKTYPE_ETHERNET, PORT_DNS, PORT_DNS_OVER_TLS, TCP_ACK, TCP_SYN } from '../../constants/wire.ts'
import { type DecodedBatch, ROW_GROUP_ADDRESSED } from '../../model/decoded-batch.ts'
import { LAYER_DONE, LAYER_WLAN } from '../../model/layer.ts'
import { DIRECTION_OUT, type PacketBatch } from '../../model/packet-batch.ts'
import { isPublicAddress } from '../address-classes.ts'
import { type AddressTable, isPublicId } from './addresses.ts'
import { type HostRecord, type MacRecord, ownAddresses, sentByMachine } from './own-addresses.ts'

/** Figures of one interface. */
export interface LinkFigures {
  packets: number
  bytes: number
  /** −1 before the first packet. */
  firstMicros: number
  lastMicros: number
  ipv4Packets: number
  /** IPv6 packets other than link-local and multicast ones: the family really works there. */
  ipv6Packets: number
  /** Packets that the capturing system marked as outgoing. */
  markedOut: number
  /** Some packet had a public address, on either end. */
  hasPublic: boolean
  /** Packets that may hold IP, but behind a link layer that is not read: unknown, or a Wi-Fi frame that is not open. */
  unread: number
  /** Times without a packet either way: end of one packet, begin of the next, in pairs. */
  readonly silences: number[]
}

export interface LinkTracker {
  packet(batch: PacketBatch, out: DecodedBatch, row: number): void
  /** The row asks somebody something (a DNS question): its source is a host that starts conversations. */
  initiation(batch: PacketBatch, out: DecodedBatch, row: number): void
  /** Undefined when the interface never carried a packet. */
  figures(interfaceId: number): LinkFigures | undefined
  /** Ids of the addresses this machine has on that interface, as far as the packets show. */
  ownAddresses(interfaceId: number): Set<number>
  /** The address is the destination of packets on that interface. */
  hasCarried(interfaceId: number, addressId: number): boolean
  /** Somebody there was asked, or connected to, under a public address. */
  hasCarriedPublic(interfaceId: number): boolean
  /** Ids of addresses to which TCP connections were opened there, DNS aside. */
  openedTo(interfaceId: number): number[]
  /** Ids of addresses whose packets this machine sent there: marked so, or from its own link-layer address. */
  sentByUs(interfaceId: number): Set<number>
}

/** `declared(interfaceId)` are addresses the input itself names for an interface, as ids. */
export function createLinkTracker(
  addresses: AddressTable,
  declared: (interfaceId: number) => readonly number[],
): LinkTracker {
  const links: (LinkFigures | undefined)[] = []
  const hosts = new Map<number, HostRecord>()
  const macs: Map<number, MacRecord>[] = []

  /** COLD PATH: once for every interface. */
  function figuresOf(interfaceId: number): LinkFigures {
    let link = links[interfaceId]
    if (link === undefined) {
      const times = { firstMicros: -1, lastMicros: -1, silences: [] }
      link = {
        packets: 0,
        bytes: 0,
        ...times,
        ipv4Packets: 0,
        ipv6Packets: 0,
        markedOut: 0,
        unread: 0,
        hasPublic: false,
      }
      links[interfaceId] = link
      macs[interfaceId] = new Map()
    }
    return link
  }

  /** COLD PATH: sampled packets only. */
  function host(interfaceId: number, addressId: number): HostRecord | undefined {
    const key = addressId * 4096 + interfaceId
    let record = hosts.get(key)
    if (record === undefined && hosts.size < MAX_HOSTS) {
      const isIpv4 = addresses.isIpv4(addressId)
      const isPublicIpv4 = isIpv4 && isPublicId(addresses, addressId)
      record = {
        interfaceId,
        addressId,
        isIpv4,
        isPublicIpv4,
        mac: -1,
        sent: 0,
        received: 0,
        initiated: 0,
        asked: 0,
        opened: 0,
        markedOut: 0,
      }
      hosts.set(key, record)
    }
    return record
  }

  /** COLD PATH: sampled packets only. */
  function macRecord(interfaceId: number, mac: number): MacRecord | undefined {
    const table = macs[interfaceId]!
    let record = table.get(mac)
    if (record === undefined && table.size < MAX_HOSTS) {
      record = { seen: 0, initiated: 0 }
      table.set(mac, record)
    }
    return record
  }

  function sample(
    batch: PacketBatch,
    out: DecodedBatch,
    row: number,
    initiated: boolean,
    counted: boolean,
    opens: boolean,
  ): void {
    const interfaceId = batch.interfaceId[row]!
    const source = host(interfaceId, addresses.intern(out.addresses, row << 3))
    let mac = -1
    if (batch.linkType[row] === LINKTYPE_ETHERNET) {
      mac = macAt(batch.bytes, batch.startAt[row]! + 6)
      const record = macRecord(interfaceId, mac)
      if (record !== undefined) {
        if (counted) record.seen++
        if (initiated) record.initiated++
      }
      if (counted && (out.flags[row]! & ROW_GROUP_ADDRESSED) === 0) {
        const receiver = macRecord(interfaceId, macAt(batch.bytes, batch.startAt[row]!))
        if (receiver !== undefined) receiver.seen++
      }
    }
    if (source !== undefined) {
      source.mac = mac
      if (counted) source.sent++
      if (initiated) source.initiated++
      if (batch.direction[row] === DIRECTION_OUT) source.markedOut++
    }
    if ((counted || initiated) && (out.flags[row]! & ROW_GROUP_ADDRESSED) === 0) {
      const target = host(interfaceId, addresses.intern(out.addresses, (row << 3) + 4))
      if (target === undefined) return
      if (counted) target.received++
      if (initiated) target.asked++
      if (opens && !isDnsPort(out.dstPort[row]!)) target.opened++
    }
  }

  return {
    packet(batch, out, row) {
      const interfaceId = batch.interfaceId[row]!
      const link = links[interfaceId] ?? figuresOf(interfaceId)
      const time = batch.timeMicros[row]!
      link.packets++
      link.bytes += batch.wireLen[row]!
      if (link.firstMicros < 0 || time < link.firstMicros) link.firstMicros = time
      if (time - link.lastMicros > SILENCE_MICROS) noteSilence(link, time)
      if (time > link.lastMicros) link.lastMicros = time
      const version = out.ipVersion[row]!
      if (version === 4) link.ipv4Packets++
      else if (version === 6) {
        if (isRoutedIpv6(out.addresses[row << 3]!) && isRoutedIpv6(out.addresses[(row << 3) + 4]!)) link.ipv6Packets++
      } else {
        if (out.unknown[row] !== 0 && isClosed(out.layer[row]!)) link.unread++
        return
      }
      if (batch.direction[row] === DIRECTION_OUT) link.markedOut++
      if (!link.hasPublic)
        link.hasPublic = isPublicAt(out.addresses, row << 3) || isPublicAt(out.addresses, (row << 3) + 4)
      const opens = out.ipProtocol[row] === IPPROTO_TCP && (out.tcpFlags[row]! & (TCP_SYN | TCP_ACK)) === TCP_SYN
      const counted = link.packets <= HOST_SAMPLE_PACKETS
      if (counted || (opens && hosts.size < MAX_HOSTS)) sample(batch, out, row, opens, counted, opens)
    },
    initiation(batch, out, row) {
      if (hosts.size < MAX_HOSTS) sample(batch, out, row, true, false, false)
    },
    figures: (interfaceId) => links[interfaceId],
    /** COLD PATH: for a judgement or the report. */
    ownAddresses(interfaceId) {
      const isMarked = (links[interfaceId]?.markedOut ?? 0) > 0
      return ownAddresses(interfaceId, declared(interfaceId), hosts.values(), macs[interfaceId], isMarked)
    },
    hasCarried(interfaceId, addressId) {
      const record = hosts.get(addressId * 4096 + interfaceId)
      return record !== undefined && (record.received > 0 || record.asked > 0)
    },
    /** COLD PATH: for a judgement. */
    hasCarriedPublic(interfaceId) {
      for (const { interfaceId: on, addressId, asked } of hosts.values()) {
        if (on === interfaceId && asked > 0 && isPublicId(addresses, addressId)) return true
      }
      return false
    },
    /** COLD PATH: for a judgement. */
    openedTo: (interfaceId) =>
      [...hosts.values()].flatMap((one) => (one.interfaceId === interfaceId && one.opened > 0 ? [one.addressId] : [])),
    /** COLD PATH: for a judgement. */
    sentByUs: (interfaceId) => sentByMachine(interfaceId, hosts.values(), macs[interfaceId]),
  }
}

function isPublicAt(words: Uint32Array, at: number): boolean {
  return isPublicAddress(words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!)
}

function isDnsPort(port: number): boolean {
  return port === PORT_DNS || port === PORT_DNS_OVER_TLS
}

/** 48 bits as a number. */
function macAt(bytes: Uint8Array, at: number): number {
  return (
    ((bytes[at]! << 8) | bytes[at + 1]!) * 0x1_0000_0000 +
    (((bytes[at + 2]! << 24) | (bytes[at + 3]! << 16) | (bytes[at + 4]! << 8) | bytes[at + 5]!) >>> 0)
  )
}

/** Neither link-local (fe80::/10), multicast (ff00::/8), nor unspecified and loopback (::/32). */
function isRoutedIpv6(firstWord: number): boolean {
  return firstWord !== 0 && firstWord >>> 22 !== 0x3fa && firstWord >>> 24 !== 0xff
}

/** Where decoding stopped before any header that names what follows. */
function isClosed(layer: number): boolean {
  return layer === LAYER_DONE || layer === LAYER_WLAN
}

function noteSilence(link: LinkFigures, untilMicros: number): void {
  if (link.lastMicros < 0 || link.silences.length >= MAX_SILENCES * 2) return
  link.silences.push(link.lastMicros, untilMicros)
}
