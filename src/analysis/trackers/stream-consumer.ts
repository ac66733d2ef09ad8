// What reads the in-order bytes of one TCP connection. The streams tracker delivers; recognise() says who should read.
import { isPlausibleDnsOverTcp } from '../../decoders/dns-over-tcp.ts'
import { HTTP_START_HTTP2, HTTP_START_MORE, HTTP_START_NO, httpStart } from '../../decoders/http.ts'
import { TLS_START_MORE, TLS_START_NO, tlsStart } from '../../decoders/tls.ts'
import type { ConnectionFact } from '../../model/connection-facts.ts'

/**
 * Reads one connection, both directions. Bytes of one direction arrive in order, each byte once.
 * `where` describes the frame that delivered the last of them; it may be an object that is used again.
 */
export interface StreamConsumer {
  /**
   * Takes bytes [at, endAt). Returns how many were consumed; the rest is offered again together with what follows.
   * Consumers keep their own bounded memory, so a rest stands only where another protocol may begin: while a CONNECT
   * or Upgrade is unanswered, and after `done` with `unwrapped` set.
   */
  push(fromClient: boolean, bytes: Uint8Array, at: number, endAt: number, where: ConnectionFact): number
  /**
   * `gapLen` bytes of this direction are missing in the capture; the next push continues after them. `cut`: they were
   * sent in a packet that the snap length cut, so that what came before them is all there will ever be of it.
   */
  gap(fromClient: boolean, gapLen: number, cut?: boolean): void
  /** The connection was closed, or (`open`) the capture ended or the connection was evicted before it was. */
  end(open?: boolean): void
  /** Nothing more is wanted: push, gap and end need not be called any more. */
  readonly done: boolean
  /** With `done`: another protocol follows inside (CONNECT, Upgrade, STARTTLS, SOCKS): recognise the unconsumed bytes anew. */
  readonly unwrapped: boolean
}

/** Who should read a stream; `more` = too few bytes to tell, `other` = nobody we have (Prelude watches those). */
export type StreamKind = 'tls' | 'http' | 'h2c' | 'dns' | 'other' | 'more'

/**
 * Says what the first bytes of one direction of a connection (or of what it unwrapped) are, by content. The ports only
 * decide between readings that the content leaves open. Also fit for a stream seen from its middle, where a message
 * starts at `at`.
 */
export function recognise(
  bytes: Uint8Array,
  at: number,
  endAt: number,
  fromClient: boolean,
  srcPort: number,
  dstPort: number,
): StreamKind {
  if (at >= endAt) return 'more'
  const tls = tlsStart(bytes, at, endAt)
  if (tls !== TLS_START_NO && tls !== TLS_START_MORE) return 'tls'
  const http = httpStart(bytes, at, endAt)
  if (http !== HTTP_START_NO && http !== HTTP_START_MORE) return http === HTTP_START_HTTP2 ? 'h2c' : 'http'
  const dns = isPlausibleDnsOverTcp(bytes, at, endAt, fromClient ? dstPort : srcPort)
  if (dns === 'yes') return 'dns'
  return tls === TLS_START_MORE || http === HTTP_START_MORE || dns === 'more' ? 'more' : 'other'
}

/** A copy of `where`; `swapped` exchanges client and server, which a capture from mid-connection may have confused. */
export function connectionOf(where: ConnectionFact, swapped: boolean): ConnectionFact {
  return {
    timeMicros: where.timeMicros,
    frameNumber: where.frameNumber,
    interfaceId: where.interfaceId,
    flowId: where.flowId,
    clientAddress: swapped ? where.serverAddress : where.clientAddress,
    clientPort: swapped ? where.serverPort : where.clientPort,
    serverAddress: swapped ? where.clientAddress : where.serverAddress,
    serverPort: swapped ? where.clientPort : where.serverPort,
    ipVersion: where.ipVersion,
  }
}
