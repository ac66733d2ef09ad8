// Who answered an HTTP request: what the headers of a gateway, a cache or an edge server give away (RFC 9110, RFC 9209).
import { IPPROTO_TCP } from '../constants/wire.ts'
import type { FactHandlers } from '../model/facts.ts'
import type { HttpFact } from '../model/protocol-facts.ts'
import type { DetectorContext, DetectorMeta, RaisedFinding } from './detector.ts'
import { serverFilter } from './display-filter.ts'

/** The name of the site asked: the request's Host, else the address. */
export function siteOf(request: HttpFact | undefined, response: HttpFact): string {
  return (request?.host ?? response.host ?? response.serverAddress).replace(/:\d+$/, '').toLowerCase()
}

/** `nginx, via 1.1 varnish, Cloudflare POP FRA`; '' when the answer says nothing of the kind. */
export function answeredBy(response: HttpFact): string {
  const parts: string[] = []
  if (response.server !== undefined) parts.push(response.server)
  if (response.via !== undefined) parts.push(`via ${response.via}`)
  const pop = popOf(response)
  if (pop !== undefined) parts.push(`Cloudflare POP ${pop}`)
  if (response.xCache !== undefined) parts.push(`cache ${response.xCache}`)
  return parts.join(', ')
}

/** The last part of CF-RAY is the airport code of the edge. */
export function popOf(response: HttpFact): string | undefined {
  return /-([A-Z]{3})$/.exec(response.cfRay ?? '')?.[1]
}

/** Finding about a response: who, where, what. Key: interface, site and status. */
export function answerFinding(
  context: DetectorContext,
  request: HttpFact | undefined,
  response: HttpFact,
): RaisedFinding {
  const { name, inputName } = context.interfaceOf(response.interfaceId)
  const host = siteOf(request, response)
  const by = answeredBy(response)
  return {
    key: `${name} ${host} ${response.status}`,
    timeMicros: response.headMicros,
    confidence: 'proven',
    interface: name,
    data: {
      host,
      status: response.status,
      address: response.serverAddress,
      ...(request?.url === undefined ? {} : { path: request.url.replace(/\?.*$/s, '') }),
      ...(by === '' ? {} : { answeredBy: by }),
      byWords: by === '' ? '' : `, answered by ${by}`,
      ...(popOf(response) === undefined ? {} : { pop: popOf(response) }),
      ...(response.proxyStatus === undefined ? {} : { proxyStatus: response.proxyStatus }),
      proxyWords: response.proxyStatus === undefined ? '' : `; Proxy-Status: ${response.proxyStatus}`,
      elsewhereWords: '',
    },
    evidence: { source: inputName, frame: response.frameNumber },
    filter: `${serverFilter(name, response.serverAddress, response.serverPort, IPPROTO_TCP)} && ${statusField(response)} == ${response.status}`,
  }
}

/** Wireshark's name for the status, which HTTP/2 has one of its own for. */
function statusField({ protocol }: HttpFact): string {
  return protocol === 'HTTP/2' ? 'http2.headers.status' : 'http.response.code'
}

/** Remembers where each site answered well: the same site elsewhere shows what the network has to do with it. */
interface GoodAnswers {
  note(context: DetectorContext, request: HttpFact | undefined, response: HttpFact): void
  /** Interfaces other than `interfaceName` on which the site answered well. */
  elsewhere(host: string, interfaceName: string): string[]
}

const MAX_SITES = 4096

function createGoodAnswers(): GoodAnswers {
  const sites = new Map<string, Set<string>>()
  return {
    note(context, request, response) {
      if (response.status === undefined || response.status < 200 || response.status >= 400) return
      const host = siteOf(request, response)
      const known = sites.get(host) ?? new Set<string>()
      if (sites.size < MAX_SITES) sites.set(host, known)
      known.add(context.interfaceOf(response.interfaceId).name)
    },
    elsewhere: (host, interfaceName) => [...(sites.get(host) ?? [])].filter((name) => name !== interfaceName),
  }
}

/** By status its reason phrase and what it means. */
export type StatusReasons = Readonly<Record<number, readonly [phrase: string, meaning: string]>>

/** Raises `meta` for answers with a status of `reasons`; worse when the same site answered well on another interface. */
export function createStatusJudge(context: DetectorContext, meta: DetectorMeta, reasons: StatusReasons): FactHandlers {
  const good = createGoodAnswers()
  return {
    httpExchange(request, response) {
      if (response?.status === undefined) return
      good.note(context, request, response)
      const words = reasons[response.status]
      if (words === undefined) return
      const raised = answerFinding(context, request, response)
      const elsewhere = good.elsewhere(raised.data.host as string, raised.interface ?? '')
      raised.data.reason = words[0]
      raised.data.meaning = words[1]
      if (elsewhere.length > 0) {
        raised.cause = 'only-here'
        raised.severity = 'critical'
        raised.data.elsewhereWords = `, but well on ${elsewhere.join(', ')}`
      }
      context.raise(meta, raised)
    },
  }
}
