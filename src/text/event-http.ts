// Cold path. The `http` event: a request and its response, or the half that was seen.
import type { HttpFact } from '../model/protocol-facts.ts'

/** What stands for the query of a URL that is not kept. */
const BLANKED_QUERY = '?-'

/**
 * Fields that were not seen are left out; `length` is the response's body, or the request's when there is no
 * response. The status of a response of which bytes were lost is called `incomplete_status`.
 */
export function httpEvent(
  request: HttpFact | undefined,
  response: HttpFact | undefined,
  keepUrlQueries: boolean,
): Record<string, unknown> {
  const event: Record<string, unknown> = {}
  const isIncomplete = response?.partial === 'lost'
  const method = request?.method ?? response?.requestMethod
  if (request?.host !== undefined) event.hostname = request.host
  if (request?.url !== undefined) event.url = keepUrlQueries ? request.url : withoutQuery(request.url)
  if (request?.userAgent !== undefined) event.http_user_agent = request.userAgent
  if (response?.contentType !== undefined) event.http_content_type = response.contentType
  if (method !== undefined) event.http_method = method
  const protocol = request?.protocol ?? response?.protocol
  if (protocol !== undefined) event.protocol = protocol
  if (response?.status !== undefined) event[isIncomplete ? 'incomplete_status' : 'status'] = response.status
  if (response?.location !== undefined)
    event.redirect = keepUrlQueries ? response.location : withoutQuery(response.location)
  const length = (response ?? request)?.bodyLen
  if (length !== undefined) event.length = length
  if (response?.server !== undefined) event.server = response.server
  if (response?.via !== undefined) event.via = response.via
  if (response?.proxyStatus !== undefined) event.proxy_status = response.proxyStatus
  if (response?.cfRay !== undefined) event.cf_ray = response.cfRay
  if (response?.xCache !== undefined) event.x_cache = response.xCache
  return event
}

/** The URL up to its query; a fragment or userinfo does not travel in a request (RFC 9110 4.2.4, 7.1). */
function withoutQuery(url: string): string {
  const queryAt = url.indexOf('?')
  return queryAt < 0 ? url : url.slice(0, queryAt) + BLANKED_QUERY
}
