// An HTTP/1.x head as the fact that is told of it, and what it says about its body (RFC 9112 6).
import type { HttpHead } from '../../decoders/http.ts'
import type { ConnectionFact } from '../../model/connection-facts.ts'
import type { HttpFact } from '../../model/protocol-facts.ts'
import { connectionOf } from './stream-consumer.ts'

/** The fact of a head, with no byte of its body yet; `swapped` exchanges client and server. */
export function createMessage(head: HttpHead, where: ConnectionFact, swapped: boolean): HttpFact {
  const { fields } = head
  // Written to and not copied: there is one for every request and response.
  const message = connectionOf(where, swapped) as HttpFact
  message.kind = head.kind
  message.headMicros = where.timeMicros
  message.bodyLen = 0
  if (head.method !== undefined) message.method = head.method
  if (head.url !== undefined) message.url = head.url
  if (head.protocol !== undefined) message.protocol = head.protocol
  if (head.kind === 'response') message.status = head.status
  addFields(message, fields)
  return message
}

/** Characters of the texts of a connection's messages that wait for their other half; heads of browsers have some hundred. */
export const MAX_WAITING_LEN = 64 * 1024

/** Characters of its texts: what a fact costs while it waits for its answer. */
export function textLen(message: HttpFact): number {
  let len = 0
  for (const value of Object.values(message)) if (typeof value === 'string') len += value.length
  return len
}

/** One statement a field: a message is made for every request, and names in variables cost more than all the rest. */
function addFields(message: HttpFact, fields: HttpHead['fields']): void {
  const host = fields.get('host')
  if (host !== undefined) message.host = host
  const userAgent = fields.get('user-agent')
  if (userAgent !== undefined) message.userAgent = userAgent
  const server = fields.get('server')
  if (server !== undefined) message.server = server
  const via = fields.get('via')
  if (via !== undefined) message.via = via
  const proxyStatus = fields.get('proxy-status')
  if (proxyStatus !== undefined) message.proxyStatus = proxyStatus
  const cfRay = fields.get('cf-ray')
  if (cfRay !== undefined) message.cfRay = cfRay
  const xCache = fields.get('x-cache')
  if (xCache !== undefined) message.xCache = xCache
  const contentType = fields.get('content-type')
  if (contentType !== undefined) message.contentType = contentType
  const location = fields.get('location')
  if (location !== undefined) message.location = location
}

/** RFC 9112 6.1: chunked is the last coding; peers send it with surplus words. */
export function isChunked(head: HttpHead): boolean {
  return /(?:^|[\s,;])chunked\s*$/i.test(head.fields.get('transfer-encoding') ?? '')
}

/** −1 when there is none that is a number. */
export function contentLength(head: HttpHead): number {
  const match = /^\d{1,15}(?!\d)/.exec(head.fields.get('content-length') ?? '')
  return match === null ? -1 : Number(match[0])
}
