// http-local-proxy: the error was made by a proxy on this machine or its LAN, not by the site or the VPN (rules.md 3, stage 5).
import { parseAddress } from '../../text/address.ts'
import { isLoopbackAddress, isPrivateAddress } from '../address-classes.ts'
import type { Detector, DetectorMeta } from '../detector.ts'
import { answerFinding } from '../http-answer.ts'

const meta: DetectorMeta = {
  id: 'http-local-proxy',
  title: 'A local proxy made the error',
  severity: 'warning',
  basis: 'heuristic',
  message:
    '{status} for {host} on {interface} came from {address}, which is {placeWords}{byWords}: a local proxy made it.',
  advice:
    'Switch off the proxy, virus scanner or ad blocker at {address} and try again; neither the site nor the VPN is the cause.',
}

/** Answers that a proxy makes when it cannot or will not go on. */
const PROXY_ERRORS: ReadonlySet<number> = new Set([403, 407, 502, 503, 504, 511])
/** Names that belong to a LAN may well be served there. */
const PUBLIC_NAME =
  /^(?!.*\.(local|lan|home|internal|localdomain|corp|arpa|test|invalid|localhost)$)[a-z0-9-]+(\.[a-z0-9-]+)*\.[a-z]{2,}$/

export const httpLocalProxy: Detector = {
  meta,
  create(context) {
    return {
      httpExchange(request, response) {
        if (response?.status === undefined || !PROXY_ERRORS.has(response.status)) return
        const raised = answerFinding(context, request, response)
        if (!PUBLIC_NAME.test(raised.data.host as string)) return
        const words = parseAddress(response.serverAddress)
        if (words === undefined) return
        const [w0, w1, w2, w3] = words as unknown as [number, number, number, number]
        const isLoopback = isLoopbackAddress(w0, w1, w2, w3)
        if (!isLoopback && !isPrivateAddress(w0, w1, w2, w3)) return
        const isExplicit = /^https?:\/\//i.test(request?.url ?? '') || request?.method === 'CONNECT'
        raised.confidence = isLoopback || isExplicit ? 'strong' : 'weak'
        raised.severity = isLoopback || isExplicit ? 'warning' : 'info'
        raised.data.placeWords = isLoopback
          ? 'this machine'
          : isExplicit
            ? 'the proxy it was told to use'
            : 'on the LAN'
        context.raise(meta, raised)
      },
    }
  },
}
