// "Packet too big" messages (RFC 1191, RFC 8201): held against the flow they quote, and whether its sender heeds them.
import {
  MIN_MTU_V4,
  MIN_MTU_V6,
  MTU_PLATEAUS,
  TCP_HEADERS_V4,
  TCP_HEADERS_V6,
} from '../../constants/tunnel-overhead.ts'
import {
  ICMP_ECHO_REQUEST,
  ICMP_FRAGMENTATION_NEEDED,
  ICMP_UNREACHABLE,
  ICMPV6_ECHO_REQUEST,
  ICMPV6_PACKET_TOO_BIG,
  IPPROTO_ESP,
  IPPROTO_ICMP,
  IPPROTO_ICMPV6,
  IPPROTO_TCP,
  IPPROTO_UDP,
} from '../../constants/wire.ts'
import { u16 } from '../../decoders/cursor.ts'
import { createQuotedPacket, readQuoted } from '../../decoders/quoted.ts'
import type { TooBigFact } from '../../model/connection-facts.ts'
import { type DecodedBatch, ROW_DF, ROW_INNER } from '../../model/decoded-batch.ts'
import type { FactHandlers } from '../../model/facts.ts'
import { LAYER_ICMPV4, LAYER_ICMPV6 } from '../../model/layer.ts'
import type { PacketBatch } from '../../model/packet-batch.ts'
import { addressText } from '../../text/address.ts'
import type { Writable } from '../writable.ts'
import { serverAddressAt } from './flow-fact.ts'
import {
  FLOW_HANDSHAKE_DONE,
  FLOW_ID_AT,
  FLOW_SEQ_KNOWN,
  FLOW_SHIFT,
  HANDSHAKE_AT,
  MSS_AT,
  NEXT_SEQ_AT,
  STATE_AT,
} from './flow-record.ts'
import { ECHO_IDENTIFIER_AT } from './flow-start.ts'
import type { FlowTable } from './flows.ts'
import type { PathTable } from './path-table.ts'

export interface TooBigTracker {
  /** Takes a row with an ICMP error; others than "too big" are none of its business. */
  message(batch: PacketBatch, out: DecodedBatch, row: number): void
  /** Senders are being watched. */
  readonly isWatching: boolean
  /** A row of the flow in `slot`, while somebody is being watched. */
  packet(slot: number, fromClient: boolean, batch: PacketBatch, out: DecodedBatch, row: number): void
}

/** Flows watched at once; the oldest makes room. */
const MAX_WATCHED = 32
/** A sender has two round trips to shrink, and never less than this (RFC 8201 5.4 gives no number). */
const MIN_HEED_MICROS = 300_000
/** One packet too big may have been on its way; two are disobedience. */
const MIN_IGNORED = 2
/** A sender that looks for a size that passes tries each one so often, and heeds what it finds (RFC 8899 5.1.2). */
const MAX_PROBES = 3
/** RFC 792, RFC 4443 4.1. */
const ECHO_HEADER_LEN = 8
/** Sequence numbers further back than the largest window (RFC 7323 2.3) are nobody's. */
const MAX_WINDOW = 1 << 30
/** Without the handshake offload cannot be told from a packet longer than Ethernet's. */
const MAX_LINK_LEN = 1500

interface Watched {
  slot: number
  flowId: number
  fromClient: boolean
  dueMicros: number
  fact: TooBigFact
  ignoredCount: number
  /** Length of the last datagram that was too big, and how many of that length came one after the other. */
  datagramLen: number
  datagramCount: number
}

/** ESP has no flows: what quotes it is believed where nothing speaks against it. */
export function createTooBigTracker(flows: FlowTable, paths: PathTable, handlers: FactHandlers): TooBigTracker {
  const quoted = createQuotedPacket()
  const watched: Watched[] = []

  function standingOf(interfaceId: number, slot: number, mtu: number): TooBigFact['standing'] {
    // Only routers of IPv4 may leave it out (RFC 1191 5).
    if (quoted.ipVersion === 6 ? mtu < MIN_MTU_V6 : mtu !== 0 && mtu < MIN_MTU_V4) return 'invalid'
    if (slot < 0) {
      const isKnown =
        paths.find(interfaceId, quoted.addresses, 4) !== 0 || paths.find(interfaceId, quoted.addresses, 0) !== 0
      // ESP, fragments and protocols without ports have no flow to be held against.
      return isKnown && quoted.hasPorts ? 'mismatch' : 'unknown'
    }
    return quoted.hasTcpSeq && !isInFlight(slot) ? 'mismatch' : 'validated'
  }

  /** Of a quoted ping, by which the flow table knows it; −1 when it is none. */
  function echoIdentifier(bytes: Uint8Array, endAt: number): number {
    const at = quoted.transportAt
    const echo = quoted.ipProtocol === IPPROTO_ICMP ? ICMP_ECHO_REQUEST : ICMPV6_ECHO_REQUEST
    if (quoted.ipProtocol !== IPPROTO_ICMP && quoted.ipProtocol !== IPPROTO_ICMPV6) return -1
    if (quoted.fragmentOffset !== 0 || endAt - at < ECHO_HEADER_LEN || bytes[at] !== echo) return -1
    return u16(bytes, at + ECHO_IDENTIFIER_AT)
  }

  /** RFC 5927 7: the quoted sequence number must be one of data that was sent. */
  function isInFlight(slot: number): boolean {
    const base = slot << FLOW_SHIFT
    const side = flows.fromClient ? 0 : 1
    if ((flows.words[base + STATE_AT]! & (FLOW_SEQ_KNOWN << side)) === 0) return false
    const behind = (flows.words[base + NEXT_SEQ_AT + side]! - quoted.tcpSeq) | 0
    return behind >= 0 && behind < MAX_WINDOW
  }

  function watch(slot: number, fact: TooBigFact): void {
    const known = watched.find((one) => one.flowId === fact.flowId && one.fromClient === flows.fromClient)
    if (known !== undefined) {
      if (fact.mtu < known.fact.mtu) known.fact = fact
      return
    }
    if (watched.length === MAX_WATCHED) watched.shift()
    tracker.isWatching = true
    const base = slot << FLOW_SHIFT
    const isOpen = (flows.words[base + STATE_AT]! & FLOW_HANDSHAKE_DONE) !== 0
    const roundTrip = isOpen ? flows.words[base + HANDSHAKE_AT]! : 0
    const dueMicros = fact.timeMicros + Math.max(2 * roundTrip, MIN_HEED_MICROS)
    const { fromClient } = flows
    const none = { ignoredCount: 0, datagramLen: 0, datagramCount: 0 }
    watched.push({ slot, flowId: fact.flowId, fromClient, dueMicros, fact, ...none })
  }

  /**
   * The row is one packet and not several that offload has put into one frame: as long as a full segment, or shorter and
   * sent again, which is done segment by segment.
   */
  function isOneSegment(slot: number, ipLen: number, out: DecodedBatch, row: number): boolean {
    const base = slot << FLOW_SHIFT
    const mss = flows.words[base + MSS_AT]!
    const least = Math.min(mss & 0xffff || 0xffff, mss >>> 16 || 0xffff)
    const full = least === 0xffff ? MAX_LINK_LEN : least + (out.ipVersion[row] === 4 ? TCP_HEADERS_V4 : TCP_HEADERS_V6)
    const side = flows.fromClient ? 0 : 1
    const isAgain = ((flows.words[base + NEXT_SEQ_AT + side]! - out.tcpSeq[row]!) | 0) > 0
    return isAgain ? ipLen <= full : ipLen === full
  }

  /** Another datagram of that length, beyond what a search for the right size would send. */
  function isNoProbe(one: Watched, ipLen: number): boolean {
    one.datagramCount = one.datagramLen === ipLen ? one.datagramCount + 1 : 1
    one.datagramLen = ipLen
    return ipLen <= MAX_LINK_LEN && one.datagramCount > MAX_PROBES
  }

  const tracker: Writable<TooBigTracker> = {
    isWatching: false,
    message(batch, out, row) {
      if (!isTooBig(out, row)) return
      const quotedAt = out.quotedAt[row]!
      const endAt = batch.startAt[row]! + batch.capturedLen[row]!
      if (quotedAt === 0 || !readQuoted(batch.bytes, quotedAt, endAt, quoted)) return
      const interfaceId = batch.interfaceId[row]!
      const protocol = quoted.ipProtocol
      // Within 6in4, GRE or IPIP the message quotes what went through the same tunnel.
      const isInner = (out.flags[row]! & ROW_INNER) !== 0
      const echoId = echoIdentifier(batch.bytes, endAt)
      const isTransport = quoted.hasPorts && (protocol === IPPROTO_TCP || protocol === IPPROTO_UDP)
      const slot = isTransport
        ? flows.peek(interfaceId, isInner, protocol, quoted.addresses, 0, quoted.srcPort, quoted.dstPort)
        : echoId >= 0
          ? flows.peek(interfaceId, isInner, protocol, quoted.addresses, 0, echoId, echoId)
          : -1
      const nextHopMtu = out.icmpMtu[row]!
      let standing = standingOf(interfaceId, slot, nextHopMtu)
      if (protocol === IPPROTO_ESP && standing === 'unknown') standing = 'validated'
      const isValid = standing === 'validated'
      const fact: TooBigFact = {
        timeMicros: batch.timeMicros[row]!,
        frameNumber: batch.frameNumber[row]!,
        interfaceId,
        ipVersion: quoted.ipVersion,
        routerAddress: addressText(out.addresses, row << 3),
        nextHopMtu,
        mtu: nextHopMtu !== 0 || standing === 'invalid' ? nextHopMtu : plateauBelow(quoted.ipLen),
        srcAddress: addressText(quoted.addresses, 0),
        srcPort: quoted.srcPort,
        dstAddress: addressText(quoted.addresses, 4),
        dstPort: quoted.dstPort,
        ipProtocol: protocol,
        packetLen: quoted.ipLen,
        standing,
        flowId: isValid && slot >= 0 ? flows.words[(slot << FLOW_SHIFT) + FLOW_ID_AT]! : 0,
        path: 0,
      }
      if (standing !== 'invalid') notePaths(slot, fact)
      handlers.tooBig?.(fact)
      // Who pings with a size of choice wants to know whether it fits.
      if (isValid && slot >= 0 && isTransport) watch(slot, fact)
    },
    packet(slot, fromClient, batch, out, row) {
      for (let index = 0; index < watched.length; index++) {
        const one = watched[index]!
        if (one.slot !== slot) continue
        if (flows.words[(slot << FLOW_SHIFT) + FLOW_ID_AT] !== one.flowId) {
          watched.splice(index, 1)
          tracker.isWatching = watched.length > 0
          return
        }
        const ipLen = out.ipLen[row]!
        if (one.fromClient !== fromClient || ipLen <= one.fact.mtu || batch.timeMicros[row]! < one.dueMicros) continue
        const mayFragment = out.ipVersion[row] === 4 && (out.flags[row]! & ROW_DF) === 0
        if (mayFragment) continue
        const isTcp = out.ipProtocol[row] === IPPROTO_TCP
        if (isTcp ? !isOneSegment(slot, ipLen, out, row) : !isNoProbe(one, ipLen)) continue
        one.ignoredCount += isTcp || one.ignoredCount !== 0 ? 1 : one.datagramCount
        if (one.ignoredCount < MIN_IGNORED) continue
        handlers.tooBigIgnored?.({
          ...one.fact,
          ignoredCount: one.ignoredCount,
          ignoredLen: ipLen,
          ignoredFrame: batch.frameNumber[row]!,
          ignoredMicros: batch.timeMicros[row]!,
        })
      }
    },
  }
  return tracker

  /** What was told about a path keeps silence on it from being called a black hole. */
  function notePaths(slot: number, fact: TooBigFact): void {
    const { interfaceId } = fact
    if (slot >= 0 && fact.standing === 'validated') {
      const base = slot << FLOW_SHIFT
      fact.path = paths.idOf(interfaceId, flows.words, base + serverAddressAt(flows.words, base))
      paths.nextHopMtu[fact.path] = fact.mtu
      paths.told[fact.path] = fact.mtu
      return
    }
    for (const at of [0, 4]) {
      const path = paths.find(interfaceId, quoted.addresses, at)
      if (path !== 0) paths.told[path] = fact.mtu
    }
  }
}

function isTooBig(out: DecodedBatch, row: number): boolean {
  const layer = out.layer[row]
  if (layer === LAYER_ICMPV6) return out.icmpType[row] === ICMPV6_PACKET_TOO_BIG
  return (
    layer === LAYER_ICMPV4 && out.icmpType[row] === ICMP_UNREACHABLE && out.icmpCode[row] === ICMP_FRAGMENTATION_NEEDED
  )
}

/** RFC 1191 7.1: the next lower plateau is the best guess. */
function plateauBelow(packetLen: number): number {
  return MTU_PLATEAUS.find((plateau) => plateau < packetLen) ?? MIN_MTU_V4
}
