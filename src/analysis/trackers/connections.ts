// HOT PATH. How much of what the machine connects to is explained by a DNS answer that was seen (rules.md 6).
import { MAX_ADDRESSES } from '../../constants/limits.ts'
import {
  DNS_HEADER_LEN,
  DNS_TYPE_A,
  DNS_TYPE_AAAA,
  IPPROTO_TCP,
  PORT_DNS,
  PORT_DNS_OVER_TLS,
  TCP_ACK,
  TCP_SYN,
} from '../../constants/wire.ts'
import { u16, u32 } from '../../decoders/cursor.ts'
import type { DecodedBatch } from '../../model/decoded-batch.ts'
import type { PacketBatch } from '../../model/packet-batch.ts'
import { isLoopbackAddress, isMulticastAddress, isPrivateAddress } from '../address-classes.ts'
import { type AddressTable, createAddressTable } from './addresses.ts'

export interface ConnectionTracker {
  packet(batch: PacketBatch, out: DecodedBatch, row: number): void
  /** A DNS response: the addresses in its answers are explained from now on. */
  dnsAnswer(batch: PacketBatch, out: DecodedBatch, row: number): void
  /** TCP connections to public addresses. */
  readonly connections: number
  /** Those whose server address stood in a DNS answer seen before. */
  readonly explained: number
}

const MAPPED_PREFIX = 0xffff

export function createConnectionTracker(): ConnectionTracker {
  const answered: AddressTable = createAddressTable()
  const words = new Uint32Array(4)
  let connections = 0
  let explained = 0
  let lastSeq = -1
  let lastPort = -1

  function addAddress(bytes: Uint8Array, at: number, addressLen: number): void {
    if (addressLen === 4) {
      words[0] = 0
      words[1] = 0
      words[2] = MAPPED_PREFIX
      words[3] = u32(bytes, at)
    } else {
      for (let i = 0; i < 4; i++) words[i] = u32(bytes, at + i * 4)
    }
    if (answered.count < MAX_ADDRESSES) answered.intern(words, 0)
  }

  return {
    packet(_batch, out, row) {
      if (out.ipProtocol[row] !== IPPROTO_TCP || (out.tcpFlags[row]! & (TCP_SYN | TCP_ACK)) !== TCP_SYN) return
      const port = out.dstPort[row]!
      // Resolvers are configured, not looked up.
      if (port === PORT_DNS || port === PORT_DNS_OVER_TLS) return
      const word = (row << 3) + 4
      const w0 = out.addresses[word]!
      const w1 = out.addresses[word + 1]!
      const w2 = out.addresses[word + 2]!
      const w3 = out.addresses[word + 3]!
      if (isPrivateAddress(w0, w1, w2, w3) || isLoopbackAddress(w0, w1, w2, w3) || isMulticastAddress(w0, w1, w2, w3))
        return
      // A SYN that is sent again opens no second connection.
      if (out.tcpSeq[row] === lastSeq && out.srcPort[row] === lastPort) return
      lastSeq = out.tcpSeq[row]!
      lastPort = out.srcPort[row]!
      connections++
      if (answered.idOf(out.addresses, word) > 0) explained++
    },
    dnsAnswer(batch, out, row) {
      const { bytes } = batch
      const messageAt = out.dnsAt[row]!
      const endAt = out.dnsEndAt[row]!
      let questionCount = out.dnsQuestions[row]!
      let answerCount = u16(bytes, messageAt + 6)
      let at = messageAt + DNS_HEADER_LEN
      for (; questionCount > 0; questionCount--) {
        at = skipName(bytes, at, endAt) + 4
        if (at < 4 || at > endAt) return
      }
      for (; answerCount > 0; answerCount--) {
        at = skipName(bytes, at, endAt)
        if (at < 0 || at + 10 > endAt) return
        const type = u16(bytes, at)
        const dataLen = u16(bytes, at + 8)
        at += 10
        if (at + dataLen > endAt) return
        if ((type === DNS_TYPE_A && dataLen === 4) || (type === DNS_TYPE_AAAA && dataLen === 16)) {
          addAddress(bytes, at, dataLen)
        }
        at += dataLen
      }
    },
    get connections() {
      return connections
    },
    get explained() {
      return explained
    },
  }
}

/** The offset behind the name at `at`, or −5 when it does not end before `endAt` (so that adding 4 stays negative). */
function skipName(bytes: Uint8Array, at: number, endAt: number): number {
  while (at < endAt) {
    const labelLen = bytes[at]!
    if (labelLen === 0) return at + 1
    if (labelLen >= 0xc0) return at + 2
    at += labelLen + 1
  }
  return -5
}
