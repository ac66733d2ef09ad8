// What TLS, QUIC and HTTP show of themselves.
import type { ConnectionFact } from './connection-facts.ts'

/**
 * RFC 8446, RFC 5246: what a connection shows of TLS before it is encrypted and, where a key log has its secrets, after.
 * Absent = not seen.
 */
export interface TlsFact extends ConnectionFact {
  kind: 'client-hello' | 'server-hello' | 'encrypted-extensions' | 'certificate' | 'alert'
  fromClient: boolean
  /** client-hello: as offered; server-hello: as chosen. */
  version?: number
  sni?: string
  clientAlpns?: string[]
  serverAlpn?: string
  /** client-hello, as offered, without GREASE (RFC 8701). */
  supportedVersions?: number[]
  groups?: number[]
  cipherSuites?: number[]
  /** server-hello: the one chosen. */
  cipherSuite?: number
  /** server-hello: asks for another ClientHello (RFC 8446 4.1.4). */
  helloRetryRequest?: boolean
  echPresent?: boolean
  /** MD5 in hex, and the text it was made of. */
  ja3?: string
  ja3Text?: string
  ja3s?: string
  ja3sText?: string
  ja4?: string
  /** Bytes of the handshake message with its header. */
  messageLen?: number
  /** Only the first part of the message was read: cut by the snap length, or lost with the rest of the connection. */
  partial?: 'cut' | 'lost'
  /** Distinguished names, `C=US, O=Example, CN=example.com`, in their order on the wire. */
  subject?: string
  issuer?: string
  notBeforeMicros?: number
  notAfterMicros?: number
  /** Hex pairs with colons, `0A:1B`. */
  serial?: string
  alertLevel?: number
  alertDescription?: number
  /** alert: its sender had sent content before, so that it was not the handshake that it ended. */
  afterContent?: true
}

/** RFC 9000, RFC 9369: what a QUIC connection's first packets show. Absent = not seen. */
export interface QuicFact extends ConnectionFact {
  /** A client-hello of Google's own versions has nothing but the version. */
  kind: 'client-hello' | 'retry' | 'version-negotiation'
  /** As on the wire; 0 for a version negotiation. */
  version: number
  /** version-negotiation: what the server offers. */
  versions?: number[]
  /** client-hello: the highest TLS version offered. */
  tlsVersion?: number
  sni?: string
  clientAlpns?: string[]
  echPresent?: boolean
  ja4?: string
  /** Bytes of the ClientHello with its header. */
  messageLen?: number
}

/**
 * RFC 9112: one request or response. Time and frame are those of its last byte seen. Of an HTTP/2
 * connection in the clear, `HTTP/2`, of which no request could be read there is one without method.
 */
export interface HttpFact extends ConnectionFact {
  kind: 'request' | 'response'
  /** When the head was complete. */
  headMicros: number
  method?: string
  url?: string
  host?: string
  /** As written, `HTTP/1.1`; absent for an HTTP/0.9 request. */
  protocol?: string
  status?: number
  /** Method of the request that a response answers, when it was seen. */
  requestMethod?: string
  userAgent?: string
  server?: string
  via?: string
  proxyStatus?: string
  cfRay?: string
  xCache?: string
  contentType?: string
  location?: string
  /** Body bytes that were seen. */
  bodyLen?: number
  /** Not all of the message was seen: cut by the snap length, or lost in the capture or with the rest of the connection. */
  partial?: 'cut' | 'lost'
  /** A request without response, on a connection of which bytes of the server are missing: it may have been answered. */
  answerLost?: true
}
