// One TLS connection, both directions, from its in-order bytes to facts: hellos, the server's certificate, alerts.
// Reads what is in the clear and is done as soon as both directions are encrypted, unless a key log has the secrets.
import { HTTP_START_RESPONSE, httpStart } from '../../decoders/http.ts'
import {
  createTlsHello,
  readClientHello,
  readServerHello,
  readSsl2ClientHello,
  TLS_ALERT,
  TLS_CERTIFICATE,
  TLS_CLIENT_HELLO,
  TLS_HANDSHAKE,
  TLS_HANDSHAKE_HEADER_LEN,
  TLS_RANDOM_AT,
  TLS_RANDOM_LEN,
  TLS_RECORD_HEADER_LEN,
  TLS_SERVER_HELLO,
  type TlsHello,
} from '../../decoders/tls.ts'
import type { ConnectionFact } from '../../model/connection-facts.ts'
import type { TlsFact } from '../../model/protocol-facts.ts'
import { connectionOf, type StreamConsumer } from './stream-consumer.ts'
import {
  collect,
  createDirection,
  type Direction,
  dropMessage,
  startRecord,
  startSsl2,
  startsAt,
  wants,
  wholeLenAt,
  wholeMessageLen,
} from './tls-direction.ts'
import type { Hasher } from './tls-fingerprints.ts'
import type { TlsInside } from './tls-inside.ts'
import { fillCertificate, fillClientHello, fillServerHello, tlsFact } from './tls-message.ts'

/** A ClientHello with post-quantum shares takes 2 KiB, a chain of certificates 10; nothing useful is longer. */
const MAX_MESSAGE_LEN = 64 * 1024
/** Plaintext a direction may show, and what one direction may carry while the other was never seen. */
const MAX_PLAINTEXT_LEN = 128 * 1024
const ALERT_LEN = 2

/** Undefined when the secrets of that connection are not known; `swapped` as in connectionOf. */
export type OpenTls = (clientRandom: Uint8Array, hello: TlsHello, swapped: boolean) => TlsInside | undefined

/** Consumes all bytes it is offered but an answer in HTTP. Without a hasher there are no fingerprints. */
export class TlsHandshakes implements StreamConsumer {
  done = false
  unwrapped = false
  readonly #emit: (fact: TlsFact) => void
  readonly #hasher: Hasher | undefined
  readonly #open: OpenTls | undefined
  readonly #client = createDirection()
  readonly #server = createDirection()
  /** Opens the protected records, where their secrets are known. */
  #inside: TlsInside | undefined
  /** Version the server chose, 0 before its hello. */
  #version = 0
  /** The capture began in mid-connection and client and server were guessed the wrong way round. */
  #swapped = false
  /** Why a message that is not whole is not. */
  #partial: 'cut' | 'lost' = 'lost'
  /** Copy of the last `where` that left a message unfinished. */
  #where: ConnectionFact | undefined

  constructor(emit: (fact: TlsFact) => void, hasher?: Hasher, open?: OpenTls) {
    this.#emit = emit
    this.#hasher = hasher
    this.#open = open
  }

  push(fromClient: boolean, bytes: Uint8Array, at: number, endAt: number, where: ConnectionFact): number {
    const direction = fromClient ? this.#client : this.#server
    if (direction.seenLen === 0 && this.#version === 0 && httpStart(bytes, at, endAt) === HTTP_START_RESPONSE) {
      // A server, or a portal on the way, that answers a ClientHello with plain HTTP.
      this.end()
      this.unwrapped = true
      return 0
    }
    if (direction.sealed) {
      this.#pushInside(fromClient, bytes, at, endAt, where)
      return endAt - at
    }
    direction.seenLen += endAt - at
    if (!direction.done && startsAt(direction, bytes, at, endAt)) {
      this.#records(fromClient, direction, bytes, at, endAt, where)
      if (direction.messageLen > 0 && !direction.done) this.#where = connectionOf(where, false)
    }
    this.#settle(direction)
    return endAt - at
  }

  gap(fromClient: boolean, gapLen: number, cut = false): void {
    const direction = fromClient ? this.#client : this.#server
    if (direction.sealed) {
      this.#inside!.gap(fromClient !== this.#swapped, cut)
      this.done = this.#inside!.done
      return
    }
    direction.seenLen += gapLen
    const skippable = direction.recordType !== TLS_HANDSHAKE || direction.skipLeft >= gapLen
    if (direction.messageLen === 0 && skippable && gapLen <= direction.recordLeft && !direction.lost) {
      direction.recordLeft -= gapLen
      direction.skipLeft = Math.max(0, direction.skipLeft - gapLen)
    } else if (!direction.done) {
      this.#flush(fromClient, direction, cut ? 'cut' : 'lost')
      direction.lost = true
    }
    this.#settle(direction)
  }

  end(open = false): void {
    this.#flush(true, this.#client, 'lost')
    this.#flush(false, this.#server, 'lost')
    this.#inside?.end(open)
    this.done = true
  }

  #settle(direction: Direction): void {
    const inside = this.#inside
    if (direction.seenLen > MAX_PLAINTEXT_LEN) {
      inside?.end(true)
      this.done = true
    } else if (inside === undefined) {
      this.done = this.#client.done && this.#server.done
    } else {
      if (direction.done && !direction.sealed) inside.gap((direction === this.#client) !== this.#swapped, false)
      this.done = inside.done
    }
  }

  #pushInside(fromClient: boolean, bytes: Uint8Array, at: number, endAt: number, where: ConnectionFact): void {
    const inside = this.#inside!
    inside.push(fromClient !== this.#swapped, bytes, at, endAt, where)
    this.done = inside.done
  }

  #records(
    fromClient: boolean,
    direction: Direction,
    bytes: Uint8Array,
    at: number,
    endAt: number,
    where: ConnectionFact,
  ): void {
    while (at < endAt && !direction.done && !direction.lost) {
      if (direction.recordLeft === 0) {
        direction.header[direction.headerLen++] = bytes[at++]!
        if (direction.headerLen === 2 && direction.header[0]! >= 0x80) {
          startSsl2(direction, this.#version)
        } else if (direction.headerLen === TLS_RECORD_HEADER_LEN) {
          startRecord(direction, this.#version)
          if (direction.done && this.#inside !== undefined) {
            direction.sealed = true
            this.#pushInside(fromClient, direction.header, 0, TLS_RECORD_HEADER_LEN, where)
            this.#pushInside(fromClient, bytes, at, endAt, where)
          }
        }
        continue
      }
      const partEndAt = Math.min(endAt, at + direction.recordLeft)
      direction.recordLeft -= partEndAt - at
      if (direction.ssl2) this.#ssl2Message(fromClient, direction, bytes, at, partEndAt, where)
      else if (direction.recordType === TLS_HANDSHAKE)
        this.#handshake(fromClient, direction, bytes, at, partEndAt, where)
      else if (direction.recordType === TLS_ALERT) this.#alert(fromClient, direction, bytes, at, partEndAt, where)
      at = partEndAt
    }
  }

  #ssl2Message(
    fromClient: boolean,
    direction: Direction,
    bytes: Uint8Array,
    at: number,
    endAt: number,
    where: ConnectionFact,
  ): void {
    collect(direction, bytes, at, endAt)
    if (direction.recordLeft > 0) return
    direction.ssl2 = false
    const hello = createTlsHello(this.#hasher !== undefined)
    const { message, messageLen } = direction
    dropMessage(direction)
    if (message[0] !== TLS_CLIENT_HELLO || !readSsl2ClientHello(message, 0, messageLen, hello)) {
      direction.done = true
      return
    }
    this.#clientHello(fromClient, hello, messageLen, where)
  }

  #handshake(
    fromClient: boolean,
    direction: Direction,
    bytes: Uint8Array,
    at: number,
    endAt: number,
    where: ConnectionFact,
  ): void {
    while (at < endAt) {
      if (direction.skipLeft > 0) {
        const skipLen = Math.min(direction.skipLeft, endAt - at)
        direction.skipLeft -= skipLen
        at += skipLen
        continue
      }
      const { messageLen } = direction
      if (messageLen === 0) {
        const wholeLen = wholeLenAt(bytes, at, endAt)
        if (wholeLen > 0 && wholeLen <= MAX_MESSAGE_LEN) {
          this.#message(fromClient, bytes, at, at + wholeLen, wholeLen, where)
          at += wholeLen
          continue
        }
      }
      if (messageLen < TLS_HANDSHAKE_HEADER_LEN) {
        const headerEndAt = Math.min(endAt, at + TLS_HANDSHAKE_HEADER_LEN - messageLen)
        collect(direction, bytes, at, headerEndAt)
        at = headerEndAt
        if (direction.messageLen === TLS_HANDSHAKE_HEADER_LEN && !wants(direction)) return
        continue
      }
      const wholeLen = wholeMessageLen(direction)
      const partEndAt = Math.min(endAt, at + wholeLen - messageLen, at + MAX_MESSAGE_LEN - messageLen)
      collect(direction, bytes, at, partEndAt)
      at = partEndAt
      if (direction.messageLen < wholeLen && direction.messageLen < MAX_MESSAGE_LEN) return
      direction.skipLeft = wholeLen - direction.messageLen
      this.#collected(fromClient, direction, where)
    }
    if (direction.messageLen === TLS_HANDSHAKE_HEADER_LEN && wholeMessageLen(direction) === TLS_HANDSHAKE_HEADER_LEN) {
      this.#collected(fromClient, direction, where)
    }
  }

  /** The message that was collected, whole or as far as it came. */
  #collected(fromClient: boolean, direction: Direction, where: ConnectionFact): void {
    const { message, messageLen } = direction
    const wholeLen = wholeMessageLen(direction)
    dropMessage(direction)
    this.#message(fromClient, message, 0, messageLen, wholeLen, where)
  }

  /** What there is of a message of `wholeLen` bytes stands in [at, endAt), its header is there. */
  #message(
    fromClient: boolean,
    bytes: Uint8Array,
    at: number,
    endAt: number,
    wholeLen: number,
    where: ConnectionFact,
  ): void {
    const bodyAt = at + TLS_HANDSHAKE_HEADER_LEN
    const type = bytes[at]!
    if (type === TLS_CERTIFICATE) {
      this.#certificate(this.#fact('certificate', fromClient, where), bytes, bodyAt, endAt, wholeLen)
      return
    }
    const hello = createTlsHello(this.#hasher !== undefined)
    if (type === TLS_CLIENT_HELLO) {
      if (!readClientHello(bytes, bodyAt, endAt, hello)) return
      this.#clientHello(fromClient, hello, wholeLen, where)
      // A second ClientHello has the random of the first (RFC 8446 4.1.2).
      if (this.#open === undefined || this.#inside !== undefined) return
      const random = randomOf(bytes, bodyAt, endAt)
      if (random !== undefined) this.#inside = this.#open(random, hello, this.#swapped)
    } else if (type === TLS_SERVER_HELLO) {
      if (!readServerHello(bytes, bodyAt, endAt, hello)) return
      this.#serverHello(fromClient, hello, wholeLen, where)
      if (this.#inside === undefined || hello.helloRetryRequest) return
      const random = randomOf(bytes, bodyAt, endAt)
      if (random !== undefined) this.#inside.serverHello(this.#version, hello, random, where)
    }
  }

  #clientHello(fromClient: boolean, hello: TlsHello, messageLen: number, where: ConnectionFact): void {
    this.#swapped = !fromClient
    const fact = this.#fact('client-hello', fromClient, where)
    fact.messageLen = messageLen
    if (!hello.whole) fact.partial = this.#partial
    fillClientHello(fact, hello, this.#hasher)
    this.#emit(fact)
  }

  #serverHello(fromClient: boolean, hello: TlsHello, messageLen: number, where: ConnectionFact): void {
    this.#swapped = fromClient
    const fact = this.#fact('server-hello', fromClient, where)
    fact.messageLen = messageLen
    if (!hello.whole) fact.partial = this.#partial
    fillServerHello(fact, hello, this.#hasher)
    if (!hello.helloRetryRequest) this.#version = fact.version!
    this.#emit(fact)
  }

  #certificate(fact: TlsFact, bytes: Uint8Array, at: number, endAt: number, wholeLen: number): void {
    fact.messageLen = wholeLen
    if (fillCertificate(fact, bytes, at, endAt)) this.#emit(fact)
  }

  /** An alert in the clear is exactly two bytes (RFC 8446 6); an encrypted one is longer and ends the reading. */
  #alert(
    fromClient: boolean,
    direction: Direction,
    bytes: Uint8Array,
    at: number,
    endAt: number,
    where: ConnectionFact,
  ): void {
    if (direction.recordLen !== ALERT_LEN) {
      direction.done = true
      return
    }
    for (; at < endAt; at++) {
      if (direction.alertLevel < 0) {
        direction.alertLevel = bytes[at]!
        continue
      }
      const fact = this.#fact('alert', fromClient, where)
      fact.alertLevel = direction.alertLevel
      fact.alertDescription = bytes[at]!
      direction.alertLevel = -1
      this.#emit(fact)
    }
  }

  /** Tells what an unfinished hello showed so far. */
  #flush(fromClient: boolean, direction: Direction, partial: 'cut' | 'lost'): void {
    this.#partial = partial
    if (direction.messageLen > TLS_HANDSHAKE_HEADER_LEN && this.#where !== undefined && !direction.ssl2) {
      this.#collected(fromClient, direction, this.#where)
    }
    dropMessage(direction)
  }

  #fact(kind: TlsFact['kind'], fromClient: boolean, where: ConnectionFact): TlsFact {
    return tlsFact(kind, fromClient !== this.#swapped, where, this.#swapped)
  }
}

/** A copy of the random in the hello at `at`; undefined when it is not all there. */
function randomOf(bytes: Uint8Array, at: number, endAt: number): Uint8Array | undefined {
  const randomAt = at + TLS_RANDOM_AT
  return randomAt + TLS_RANDOM_LEN > endAt
    ? undefined
    : new Uint8Array(bytes.subarray(randomAt, randomAt + TLS_RANDOM_LEN))
}
