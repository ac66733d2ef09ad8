// One TLS connection, both directions, from its in-order bytes to facts: hellos, the server's certificate, alerts.
// Reads only what is in the clear and is done as soon as both directions are encrypted.
import { u16 } from '../../decoders/cursor.ts'
import { HTTP_START_RESPONSE, httpStart } from '../../decoders/http.ts'
import {
  createTlsHello,
  isGrease,
  readClientHello,
  readServerHello,
  readSsl2ClientHello,
  TLS_1_3,
  TLS_ALERT,
  TLS_APPLICATION_DATA,
  TLS_CERTIFICATE,
  TLS_CHANGE_CIPHER_SPEC,
  TLS_CLIENT_HELLO,
  TLS_HANDSHAKE,
  TLS_HANDSHAKE_HEADER_LEN,
  TLS_MAX_RECORD_LEN,
  TLS_RECORD_HEADER_LEN,
  TLS_SERVER_HELLO,
  TLS_START_RECORD,
  type TlsHello,
  tlsStart,
} from '../../decoders/tls.ts'
import { readCertificate } from '../../decoders/x509.ts'
import type { ConnectionFact, TlsFact } from '../../model/facts.ts'
import { connectionOf, type StreamConsumer } from './stream-consumer.ts'
import { type Hasher, helloVersion, ja3sText, ja3Text, ja4 } from './tls-fingerprints.ts'

/** A ClientHello with post-quantum shares takes 2 KiB, a chain of certificates 10; nothing useful is longer. */
const MAX_MESSAGE_LEN = 64 * 1024
const FIRST_BUFFER_LEN = 2048
/** Plaintext a direction may show, and what one direction may carry while the other was never seen. */
const MAX_PLAINTEXT_LEN = 128 * 1024
const ALERT_LEN = 2
const CERTIFICATE_LIST_LEN = 3
const CERTIFICATE_LEN_LEN = 3

const EMPTY = new Uint8Array(0)

/** Where one direction stands. */
interface Direction {
  /** Nothing more in the clear is expected. */
  done: boolean
  /** Bytes are missing: the next push that starts with a record is where reading goes on. */
  lost: boolean
  /** ChangeCipherSpec was seen. */
  cipherChanged: boolean
  /** All bytes offered, those of the done direction included. */
  seenLen: number
  header: Uint8Array
  headerLen: number
  recordType: number
  /** Bytes of the current record that are still to come. */
  recordLeft: number
  recordLen: number
  /** SSLv2 framing, which the very first message of a client may use. */
  ssl2: boolean
  /** The handshake message being collected, its header included. */
  message: Uint8Array
  messageLen: number
  /** Bytes of an unwanted message that are still to come. */
  skipLeft: number
  alertLevel: number
}

function createDirection(): Direction {
  return {
    done: false,
    lost: false,
    cipherChanged: false,
    seenLen: 0,
    header: new Uint8Array(TLS_RECORD_HEADER_LEN),
    headerLen: 0,
    recordType: 0,
    recordLeft: 0,
    recordLen: 0,
    ssl2: false,
    message: EMPTY,
    messageLen: 0,
    skipLeft: 0,
    alertLevel: -1,
  }
}

/** Consumes all bytes it is offered but an answer in HTTP. Without a hasher there are no fingerprints. */
export class TlsHandshakes implements StreamConsumer {
  done = false
  unwrapped = false
  readonly #emit: (fact: TlsFact) => void
  readonly #hasher: Hasher | undefined
  readonly #client = createDirection()
  readonly #server = createDirection()
  /** Version the server chose, 0 before its hello. */
  #version = 0
  /** The capture began in mid-connection and client and server were guessed the wrong way round. */
  #swapped = false
  /** Why a message that is not whole is not. */
  #partial: 'cut' | 'lost' = 'lost'
  /** Copy of the last `where` that left a message unfinished. */
  #where: ConnectionFact | undefined

  constructor(emit: (fact: TlsFact) => void, hasher?: Hasher) {
    this.#emit = emit
    this.#hasher = hasher
  }

  push(fromClient: boolean, bytes: Uint8Array, at: number, endAt: number, where: ConnectionFact): number {
    const direction = fromClient ? this.#client : this.#server
    if (direction.seenLen === 0 && this.#version === 0 && httpStart(bytes, at, endAt) === HTTP_START_RESPONSE) {
      // A server, or a portal on the way, that answers a ClientHello with plain HTTP.
      this.end()
      this.unwrapped = true
      return 0
    }
    direction.seenLen += endAt - at
    if (!direction.done && this.#startsAt(direction, bytes, at, endAt)) {
      this.#records(fromClient, direction, bytes, at, endAt, where)
      if (direction.messageLen > 0 && !direction.done) this.#where = connectionOf(where, false)
    }
    this.#settle(direction)
    return endAt - at
  }

  gap(fromClient: boolean, gapLen: number, cut = false): void {
    const direction = fromClient ? this.#client : this.#server
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

  end(): void {
    this.#flush(true, this.#client, 'lost')
    this.#flush(false, this.#server, 'lost')
    this.done = true
  }

  #settle(direction: Direction): void {
    if (direction.seenLen > MAX_PLAINTEXT_LEN) this.done = true
    else if (this.#client.done && this.#server.done) this.done = true
  }

  /** After missing bytes a push counts only when a record starts it; then reading goes on there. */
  #startsAt(direction: Direction, bytes: Uint8Array, at: number, endAt: number): boolean {
    if (!direction.lost) return true
    if (tlsStart(bytes, at, endAt) !== TLS_START_RECORD) return false
    direction.lost = false
    direction.headerLen = 0
    direction.recordLeft = 0
    direction.messageLen = 0
    direction.skipLeft = 0
    direction.alertLevel = -1
    return true
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
          this.#startSsl2(direction)
        } else if (direction.headerLen === TLS_RECORD_HEADER_LEN) {
          this.#startRecord(direction)
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

  #startRecord(direction: Direction): void {
    const { header } = direction
    direction.headerLen = 0
    direction.recordType = header[0]!
    direction.recordLen = u16(header, 3)
    direction.recordLeft = direction.recordLen
    const known = direction.recordType >= TLS_CHANGE_CIPHER_SPEC && direction.recordType <= 24
    if (!known || header[1] !== 3 || header[2]! > 4 || direction.recordLen > TLS_MAX_RECORD_LEN) {
      direction.lost = true
    } else if (direction.recordType === TLS_APPLICATION_DATA) {
      direction.done = true
    } else if (direction.recordType === TLS_CHANGE_CIPHER_SPEC) {
      // RFC 8446 D.4: in TLS 1.3 it means nothing and may stand before the second ClientHello.
      direction.cipherChanged = true
    } else if (direction.cipherChanged && this.#version !== 0 && this.#version < TLS_1_3) {
      direction.done = true
    }
  }

  #startSsl2(direction: Direction): void {
    const messageLen = u16(direction.header, 0) & 0x7fff
    direction.headerLen = 0
    direction.ssl2 = true
    direction.recordLen = messageLen
    direction.recordLeft = messageLen
    if (messageLen === 0 || this.#version !== 0 || direction.messageLen > 0) direction.lost = true
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
    const hello = createTlsHello()
    const { message, messageLen } = direction
    direction.messageLen = 0
    direction.message = EMPTY
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
      if (messageLen < TLS_HANDSHAKE_HEADER_LEN) {
        const headerEndAt = Math.min(endAt, at + TLS_HANDSHAKE_HEADER_LEN - messageLen)
        collect(direction, bytes, at, headerEndAt)
        at = headerEndAt
        if (direction.messageLen === TLS_HANDSHAKE_HEADER_LEN && !this.#wants(direction)) return
        continue
      }
      const wholeLen = wholeMessageLen(direction)
      const partEndAt = Math.min(endAt, at + wholeLen - messageLen, at + MAX_MESSAGE_LEN - messageLen)
      collect(direction, bytes, at, partEndAt)
      at = partEndAt
      if (direction.messageLen < wholeLen && direction.messageLen < MAX_MESSAGE_LEN) return
      direction.skipLeft = wholeLen - direction.messageLen
      this.#message(fromClient, direction, where)
    }
    if (direction.messageLen === TLS_HANDSHAKE_HEADER_LEN && wholeMessageLen(direction) === TLS_HANDSHAKE_HEADER_LEN) {
      this.#message(fromClient, direction, where)
    }
  }

  /** Looks at a message header: a message of no interest is skipped, an impossible one is encrypted: the direction is done. */
  #wants(direction: Direction): boolean {
    const type = direction.message[0]!
    if (type === TLS_CLIENT_HELLO || type === TLS_SERVER_HELLO || type === TLS_CERTIFICATE) return true
    if (direction.message[1] !== 0 || type > 24) {
      direction.done = true
      direction.messageLen = 0
      direction.message = EMPTY
      return false
    }
    direction.skipLeft = wholeMessageLen(direction) - TLS_HANDSHAKE_HEADER_LEN
    direction.messageLen = 0
    return true
  }

  #message(fromClient: boolean, direction: Direction, where: ConnectionFact): void {
    const { message, messageLen } = direction
    const wholeLen = wholeMessageLen(direction)
    direction.messageLen = 0
    direction.message = EMPTY
    const hello = createTlsHello()
    switch (message[0]) {
      case TLS_CLIENT_HELLO:
        if (readClientHello(message, TLS_HANDSHAKE_HEADER_LEN, messageLen, hello)) {
          this.#clientHello(fromClient, hello, wholeLen, where)
        }
        break
      case TLS_SERVER_HELLO:
        if (readServerHello(message, TLS_HANDSHAKE_HEADER_LEN, messageLen, hello)) {
          this.#serverHello(fromClient, hello, wholeLen, where)
        }
        break
      case TLS_CERTIFICATE:
        this.#certificate(fromClient, message, messageLen, wholeLen, where)
        break
    }
  }

  #clientHello(fromClient: boolean, hello: TlsHello, messageLen: number, where: ConnectionFact): void {
    this.#swapped = !fromClient
    const fact = this.#fact('client-hello', fromClient, where)
    fact.messageLen = messageLen
    fact.version = helloVersion(hello)
    if (hello.sni !== undefined) fact.sni = hello.sni
    if (hello.alpns.length > 0) fact.clientAlpns = hello.alpns
    fact.supportedVersions = hello.supportedVersions.filter((value) => !isGrease(value))
    fact.groups = hello.groups.filter((value) => !isGrease(value))
    fact.cipherSuites = hello.cipherSuites.filter((value) => !isGrease(value))
    fact.echPresent = hello.echPresent
    if (!hello.whole) fact.partial = this.#partial
    if (hello.whole && this.#hasher !== undefined) {
      fact.ja3Text = ja3Text(hello)
      fact.ja3 = this.#hasher.md5(fact.ja3Text)
      fact.ja4 = ja4(hello, this.#hasher)
    }
    this.#emit(fact)
  }

  #serverHello(fromClient: boolean, hello: TlsHello, messageLen: number, where: ConnectionFact): void {
    this.#swapped = fromClient
    const fact = this.#fact('server-hello', fromClient, where)
    fact.messageLen = messageLen
    fact.version = helloVersion(hello)
    if (hello.cipherSuites.length > 0) fact.cipherSuite = hello.cipherSuites[0]!
    if (hello.alpns.length > 0) fact.serverAlpn = hello.alpns[0]!
    if (hello.helloRetryRequest) fact.helloRetryRequest = true
    else this.#version = fact.version
    if (!hello.whole) fact.partial = this.#partial
    if (hello.whole && this.#hasher !== undefined) {
      fact.ja3sText = ja3sText(hello)
      fact.ja3s = this.#hasher.md5(fact.ja3sText)
    }
    this.#emit(fact)
  }

  /** RFC 5246 7.4.2: the first certificate is the sender's own. */
  #certificate(
    fromClient: boolean,
    message: Uint8Array,
    messageLen: number,
    wholeLen: number,
    where: ConnectionFact,
  ): void {
    const at = TLS_HANDSHAKE_HEADER_LEN + CERTIFICATE_LIST_LEN
    if (at + CERTIFICATE_LEN_LEN > messageLen) return
    const certificateAt = at + CERTIFICATE_LEN_LEN
    const certificateLen = (message[at]! << 16) | u16(message, at + 1)
    const certificate = readCertificate(message, certificateAt, Math.min(messageLen, certificateAt + certificateLen))
    if (certificate === undefined) return
    const fact = this.#fact('certificate', fromClient, where)
    fact.messageLen = wholeLen
    fact.subject = certificate.subject
    fact.issuer = certificate.issuer
    fact.serial = certificate.serial
    if (!Number.isNaN(certificate.notBeforeMicros)) fact.notBeforeMicros = certificate.notBeforeMicros
    if (!Number.isNaN(certificate.notAfterMicros)) fact.notAfterMicros = certificate.notAfterMicros
    this.#emit(fact)
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
      this.#message(fromClient, direction, this.#where)
    }
    direction.messageLen = 0
    direction.message = EMPTY
  }

  #fact(kind: TlsFact['kind'], fromClient: boolean, where: ConnectionFact): TlsFact {
    return { ...connectionOf(where, this.#swapped), kind, fromClient: fromClient !== this.#swapped }
  }
}

function wholeMessageLen(direction: Direction): number {
  const { message } = direction
  return TLS_HANDSHAKE_HEADER_LEN + ((message[1]! << 16) | u16(message, 2))
}

/** Appends [at, endAt) to the message being collected. */
function collect(direction: Direction, bytes: Uint8Array, at: number, endAt: number): void {
  const neededLen = direction.messageLen + endAt - at
  if (neededLen > direction.message.length) {
    const larger = new Uint8Array(Math.max(neededLen, direction.message.length * 2, FIRST_BUFFER_LEN))
    larger.set(direction.message.subarray(0, direction.messageLen))
    direction.message = larger
  }
  for (let i = at; i < endAt; i++) direction.message[direction.messageLen++] = bytes[i]!
}
