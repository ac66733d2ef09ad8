// What a TLS connection carries once it is encrypted, where a key log has its secrets: records of both directions are opened
// in order, each direction by itself. Content goes to the readers of content in the clear; alerts, and what a server says
// only under encryption, are told as TLS facts.
import { u16 } from '../../decoders/cursor.ts'
import {
  createTlsHello,
  isTlsRecord,
  readEncryptedExtensions,
  TLS_1_2,
  TLS_1_3,
  TLS_ALERT,
  TLS_APPLICATION_DATA,
  TLS_CERTIFICATE,
  TLS_CHANGE_CIPHER_SPEC,
  TLS_ENCRYPTED_EXTENSIONS,
  TLS_END_OF_EARLY_DATA,
  TLS_FINISHED,
  TLS_HANDSHAKE,
  TLS_HANDSHAKE_HEADER_LEN,
  TLS_KEY_UPDATE,
  TLS_RECORD_HEADER_LEN,
  type TlsHello,
} from '../../decoders/tls.ts'
import type { ConnectionFact } from '../../model/connection-facts.ts'
import type { TlsFact } from '../../model/protocol-facts.ts'
import type { SessionSecrets } from '../key-log.ts'
import { type OpenConsumer, StreamContent } from './stream-content.ts'
import {
  collect,
  createDirection,
  dropMessage,
  hold,
  release,
  type SealedDirection,
  type TlsKeyring,
} from './tls-inside-direction.ts'
import { fillCertificate13, tlsFact } from './tls-message.ts'
import type { RecordKeys } from './tls-record-keys.ts'
import { type AeadSuite, tls12Suite, tls13Suite } from './tls-suites.ts'
import { tls12Keys } from './tls12-records.ts'
import { Tls13Keys } from './tls13-records.ts'

/** Records of early data that nobody has the keys of and that are passed over: a request or two has fewer. */
const MAX_EARLY_RECORDS = 64
const ALERT_LEN = 2
/** Longer than any body: what follows a hole is not seen. */
const ALL_THAT_FOLLOWS = Number.MAX_SAFE_INTEGER

/** Takes both directions from their first protected record on. Nothing throws; what does not open is not told. */
export class TlsInside {
  readonly #keyring: TlsKeyring
  readonly #secrets: SessionSecrets
  readonly #clientRandom: Uint8Array
  readonly #earlyData: boolean
  readonly #swapped: boolean
  readonly #tell: (fact: TlsFact) => void
  readonly #openContent: OpenConsumer
  readonly #client = createDirection(true)
  readonly #server = createDirection(false)
  #content: StreamContent | undefined
  #alpn: string | undefined
  /** Of TLS 1.3; undefined before ServerHello and in TLS 1.2. */
  #suite: AeadSuite | undefined
  #isCounted = false

  /** `swapped`: the side that sent the ClientHello is the flow's server. `openContent`: who reads what comes out. */
  constructor(
    keyring: TlsKeyring,
    secrets: SessionSecrets,
    clientRandom: Uint8Array,
    clientHello: TlsHello,
    swapped: boolean,
    tell: (fact: TlsFact) => void,
    openContent: OpenConsumer,
  ) {
    this.#keyring = keyring
    this.#secrets = secrets
    this.#clientRandom = clientRandom
    this.#earlyData = clientHello.earlyData
    this.#swapped = swapped
    this.#tell = tell
    this.#openContent = openContent
  }

  /** Nothing more will be opened. */
  get done(): boolean {
    return this.#client.closed && this.#server.closed
  }

  /** The server has chosen: keys follow, or it is clear that there are none. `hello` is no HelloRetryRequest. */
  serverHello(version: number, hello: TlsHello, serverRandom: Uint8Array, where: ConnectionFact): void {
    if (this.#client.keys !== undefined || this.#server.keys !== undefined || this.done) return
    if (version === TLS_1_3) this.#begin13(hello)
    else if (version === TLS_1_2) this.#begin12(hello, serverRandom)
    for (const direction of [this.#client, this.#server]) {
      const waitsForServer = direction.isClient && this.#suite !== undefined && this.#earlyData
      if (direction.keys === undefined && !waitsForServer) this.#close(direction, false)
      else this.#drain(direction, where)
    }
  }

  /** Protected records of one direction, in order, cut anywhere. */
  push(isClient: boolean, bytes: Uint8Array, at: number, endAt: number, where: ConnectionFact): void {
    const direction = isClient ? this.#client : this.#server
    if (direction.closed) return
    if (direction.heldLen === 0) {
      const restAt = this.#records(direction, bytes, at, endAt, where)
      this.#hold(direction, bytes, restAt, endAt)
    } else {
      this.#hold(direction, bytes, at, endAt)
      this.#drain(direction, where)
    }
  }

  /** Bytes of the direction are missing: without their number no later record opens. */
  gap(isClient: boolean, cut: boolean): void {
    this.#close(isClient ? this.#client : this.#server, cut)
  }

  /** As StreamConsumer.end. */
  end(open: boolean): void {
    this.#content?.end(open)
    this.#content = undefined
    for (const direction of [this.#client, this.#server]) this.#close(direction, false)
  }

  #begin12(hello: TlsHello, serverRandom: Uint8Array): void {
    const suite = tls12Suite(hello.cipherSuites[0] ?? 0)
    const masterSecret = this.#secrets.CLIENT_RANDOM
    if (suite === undefined || masterSecret === undefined || hello.compressionMethod !== 0) return
    const { ciphers } = this.#keyring
    const keys = tls12Keys(ciphers, suite, masterSecret, this.#clientRandom, serverRandom, hello.encryptThenMac)
    this.#client.keys = keys.client
    this.#server.keys = keys.server
    this.#alpn = hello.alpns[0]
  }

  #begin13(hello: TlsHello): void {
    this.#suite = tls13Suite(hello.cipherSuites[0] ?? 0)
    this.#server.keys = this.#keys13(this.#secrets.SERVER_HANDSHAKE_TRAFFIC_SECRET)
    // Whether the server takes early data stands in its EncryptedExtensions.
    if (!this.#earlyData) this.#client.keys = this.#keys13(this.#secrets.CLIENT_HANDSHAKE_TRAFFIC_SECRET)
  }

  /** Undefined when there is no such secret, or it is another hash's. */
  #keys13(secret: Uint8Array | undefined): Tls13Keys | undefined {
    if (secret === undefined || this.#suite === undefined || secret.length !== this.#suite.hashLen) return undefined
    return new Tls13Keys(this.#keyring.ciphers, this.#suite, secret)
  }

  #drain(direction: SealedDirection, where: ConnectionFact): void {
    const { held, heldLen } = direction
    if (heldLen === 0) return
    const restAt = this.#records(direction, held, 0, heldLen, where)
    if (direction.closed) return
    if (restAt === heldLen) release(this.#keyring, direction)
    else {
      held.copyWithin(0, restAt, heldLen)
      direction.heldLen = heldLen - restAt
    }
  }

  #hold(direction: SealedDirection, bytes: Uint8Array, at: number, endAt: number): void {
    if (at < endAt && !direction.closed && !hold(this.#keyring, direction, bytes, at, endAt))
      this.#close(direction, false)
  }

  /** Opens the whole records in [at, endAt) and returns where the first that is not whole begins. */
  #records(direction: SealedDirection, bytes: Uint8Array, at: number, endAt: number, where: ConnectionFact): number {
    while (direction.keys !== undefined && !direction.closed && at + TLS_RECORD_HEADER_LEN <= endAt) {
      if (!isTlsRecord(bytes, at)) {
        this.#close(direction, false)
        break
      }
      const recordEndAt = at + TLS_RECORD_HEADER_LEN + u16(bytes, at + 3)
      if (recordEndAt > endAt) break
      this.#record(direction, direction.keys, bytes, at, recordEndAt, where)
      at = recordEndAt
    }
    return at
  }

  #record(
    direction: SealedDirection,
    keys: RecordKeys,
    bytes: Uint8Array,
    at: number,
    endAt: number,
    where: ConnectionFact,
  ): void {
    if (this.#suite !== undefined && bytes[at] !== TLS_APPLICATION_DATA) {
      // RFC 8446 5: a ChangeCipherSpec that means nothing, a second ClientHello, an alert from before there were keys.
      if (bytes[at] === TLS_ALERT) this.#alert(direction, bytes, at + TLS_RECORD_HEADER_LEN, endAt, where)
      return
    }
    const opened = keys.open(bytes, at, endAt)
    if (opened === undefined) {
      if (direction.skippable-- <= 0) this.#close(direction, false)
      return
    }
    direction.skippable = 0
    if (!this.#isCounted) this.#keyring.keyLog.openedCount++
    this.#isCounted = true
    switch (keys.contentType) {
      case TLS_APPLICATION_DATA:
        if (opened.length === 0) break
        direction.hasContent = true
        this.#contentOf().push(direction.isClient !== this.#swapped, opened, 0, opened.length, where)
        break
      case TLS_HANDSHAKE:
        if (this.#suite !== undefined) this.#handshake(direction, opened, where)
        break
      case TLS_ALERT:
        this.#alert(direction, opened, 0, opened.length, where)
        break
      case TLS_CHANGE_CIPHER_SPEC:
        // TLS 1.2 renegotiated (RFC 5246 7.4.1.1): other keys follow, which belong to another client random.
        this.#close(direction, false)
        break
    }
  }

  /** The content, to whom it belongs by ALPN; else by what it looks like. */
  #contentOf(): StreamContent {
    this.#content ??= new StreamContent(this.#openContent, true, kindOf(this.#alpn))
    return this.#content
  }

  #alert(direction: SealedDirection, bytes: Uint8Array, at: number, endAt: number, where: ConnectionFact): void {
    if (endAt - at !== ALERT_LEN) return
    const fact = tlsFact('alert', direction.isClient, where, this.#swapped)
    fact.alertLevel = bytes[at]!
    fact.alertDescription = bytes[at + 1]!
    if (direction.hasContent) fact.afterContent = true
    this.#tell(fact)
  }

  /** Handshake messages of TLS 1.3, which may share records and be cut by them. */
  #handshake(direction: SealedDirection, opened: Uint8Array, where: ConnectionFact): void {
    const isContinued = direction.messageLen > 0
    if (isContinued) this.#collect(direction, opened)
    if (direction.closed) return
    const bytes = isContinued ? direction.message : opened
    const bytesEndAt = isContinued ? direction.messageLen : opened.length
    let at = 0
    while (at + TLS_HANDSHAKE_HEADER_LEN <= bytesEndAt) {
      const bodyAt = at + TLS_HANDSHAKE_HEADER_LEN
      const endAt = bodyAt + ((bytes[at + 1]! << 16) | u16(bytes, at + 2))
      if (endAt > bytesEndAt) break
      const changesKeys = this.#message(direction, bytes[at]!, bytes, bodyAt, endAt, where)
      at = endAt
      // RFC 8446 5.1: what changes the keys ends its record.
      if (changesKeys && at < bytesEndAt) this.#close(direction, false)
      if (direction.closed) return
    }
    if (!isContinued) this.#collect(direction, bytes.subarray(at, bytesEndAt))
    else if (at === bytesEndAt) dropMessage(this.#keyring, direction)
    else {
      bytes.copyWithin(0, at, bytesEndAt)
      direction.messageLen = bytesEndAt - at
    }
  }

  #collect(direction: SealedDirection, bytes: Uint8Array): void {
    if (bytes.length > 0 && !collect(this.#keyring, direction, bytes)) this.#close(direction, false)
  }

  /** One whole message; its body is [at, endAt). True when other keys follow. */
  #message(
    direction: SealedDirection,
    type: number,
    bytes: Uint8Array,
    at: number,
    endAt: number,
    where: ConnectionFact,
  ): boolean {
    const { isClient } = direction
    const secrets = this.#secrets
    switch (type) {
      case TLS_ENCRYPTED_EXTENSIONS:
        if (!isClient && !direction.established) this.#encryptedExtensions(bytes, at, endAt, where)
        return false
      case TLS_CERTIFICATE: {
        const fact = tlsFact('certificate', isClient, where, this.#swapped)
        fact.messageLen = endAt - at + TLS_HANDSHAKE_HEADER_LEN
        if (fillCertificate13(fact, bytes, at, endAt)) this.#tell(fact)
        return false
      }
      case TLS_END_OF_EARLY_DATA:
        if (!isClient || direction.established) return false
        this.#change(direction, secrets.CLIENT_HANDSHAKE_TRAFFIC_SECRET)
        return true
      case TLS_FINISHED:
        // A client that is asked for its certificate later finishes a second time (RFC 8446 4.6.2).
        if (direction.established) return false
        direction.established = true
        this.#change(direction, isClient ? secrets.CLIENT_TRAFFIC_SECRET_0 : secrets.SERVER_TRAFFIC_SECRET_0)
        return true
      case TLS_KEY_UPDATE:
        if (direction.established) (direction.keys as Tls13Keys).update()
        return true
      default:
        return false
    }
  }

  #encryptedExtensions(bytes: Uint8Array, at: number, endAt: number, where: ConnectionFact): void {
    const hello = createTlsHello(false)
    readEncryptedExtensions(bytes, at, endAt, hello)
    const alpn = hello.alpns[0]
    if (alpn !== undefined) {
      this.#alpn = alpn
      const fact = tlsFact('encrypted-extensions', false, where, this.#swapped)
      fact.serverAlpn = alpn
      this.#tell(fact)
    }
    const client = this.#client
    if (!this.#earlyData || client.keys !== undefined || client.closed) return
    const early = hello.earlyData ? this.#secrets.CLIENT_EARLY_TRAFFIC_SECRET : undefined
    // RFC 8446 4.2.10: early data that was not taken stands before the rest all the same.
    if (early === undefined) client.skippable = MAX_EARLY_RECORDS
    this.#change(client, early ?? this.#secrets.CLIENT_HANDSHAKE_TRAFFIC_SECRET)
    this.#drain(client, where)
  }

  #change(direction: SealedDirection, secret: Uint8Array | undefined): void {
    direction.keys = this.#keys13(secret)
    if (direction.keys === undefined) this.#close(direction, false)
  }

  #close(direction: SealedDirection, cut: boolean): void {
    if (direction.closed) return
    direction.closed = true
    dropMessage(this.#keyring, direction)
    release(this.#keyring, direction)
    this.#content?.gap(direction.isClient !== this.#swapped, ALL_THAT_FOLLOWS, cut)
    const client = this.#client
    // Its keys hang on what the server says.
    if (!direction.isClient && client.keys === undefined) this.#close(client, cut)
    if (this.done) this.#content?.end(true)
  }
}

/** https://www.iana.org/assignments/tls-extensiontype-values: what a protocol's name leaves no doubt about. */
function kindOf(alpn: string | undefined): 'h2c' | 'dns' | undefined {
  return alpn === 'h2' ? 'h2c' : alpn === 'dot' ? 'dns' : undefined
}
