// Watches a connection that begins with something we do not read (SOCKS, STARTTLS, a database's greeting, a PROXY
// header) for the moment when TLS or HTTP begins inside.
import { HTTP_START_HTTP2, HTTP_START_REQUEST, HTTP_START_RESPONSE, httpStart } from '../../decoders/http.ts'
import { TLS_START_RECORD, tlsStart } from '../../decoders/tls.ts'
import type { StreamConsumer } from './stream-consumer.ts'

/** A negotiation before TLS takes a dozen short messages; what goes on longer is another protocol. */
const MAX_PUSHES = 48
const MAX_PRELUDE_LEN = 32 * 1024
/** PROXY protocol: version 1 is a line of at most 107 bytes, version 2 has a 16-byte header with a length. */
const PROXY1_MAX_LEN = 107
const PROXY2_HEADER_LEN = 16
const PROXY2_SIGNATURE = [0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a]
const PROXY1_SIGNATURE = [0x50, 0x52, 0x4f, 0x58, 0x59, 0x20]
const LF = 0x0a

/** Consumes what it does not know; what it does know it leaves, and is done and unwrapped. */
export class Prelude implements StreamConsumer {
  done = false
  unwrapped = false
  #pushCount = 0
  #seenLen = 0

  push(_fromClient: boolean, bytes: Uint8Array, at: number, endAt: number): number {
    const bodyAt = afterProxyHeader(bytes, at, endAt)
    if (bodyAt > at || isKnown(bytes, at, endAt)) {
      this.done = true
      this.unwrapped = true
      return bodyAt - at
    }
    this.#count(endAt - at)
    return endAt - at
  }

  gap(_fromClient: boolean, gapLen: number): void {
    this.#count(gapLen)
  }

  end(): void {
    this.done = true
  }

  #count(len: number): void {
    this.#pushCount++
    this.#seenLen += len
    if (this.#pushCount >= MAX_PUSHES || this.#seenLen >= MAX_PRELUDE_LEN) this.done = true
  }
}

function isKnown(bytes: Uint8Array, at: number, endAt: number): boolean {
  if (tlsStart(bytes, at, endAt) === TLS_START_RECORD) return true
  const http = httpStart(bytes, at, endAt)
  return http === HTTP_START_REQUEST || http === HTTP_START_RESPONSE || http === HTTP_START_HTTP2
}

/** A PROXY header and no other protocol begins at `at`. */
export function isProxyHeader(bytes: Uint8Array, at: number, endAt: number): boolean {
  return afterProxyHeader(bytes, at, endAt) > at
}

/** https://www.haproxy.org/download/2.9/doc/proxy-protocol.txt, sections 2.1 and 2.2. Returns `at` when there is none. */
function afterProxyHeader(bytes: Uint8Array, at: number, endAt: number): number {
  if (startsWith(bytes, at, endAt, PROXY1_SIGNATURE)) {
    for (let i = at; i < endAt && i < at + PROXY1_MAX_LEN; i++) if (bytes[i] === LF) return i + 1
  } else if (at + PROXY2_HEADER_LEN <= endAt && startsWith(bytes, at, endAt, PROXY2_SIGNATURE)) {
    const headerEndAt = at + PROXY2_HEADER_LEN + ((bytes[at + 14]! << 8) | bytes[at + 15]!)
    if (headerEndAt <= endAt) return headerEndAt
  }
  return at
}

function startsWith(bytes: Uint8Array, at: number, endAt: number, signature: readonly number[]): boolean {
  if (at + signature.length > endAt) return false
  for (let i = 0; i < signature.length; i++) if (bytes[at + i] !== signature[i]) return false
  return true
}
