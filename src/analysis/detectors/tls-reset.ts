// tls-reset: the connection is reset in answer to a ClientHello, by the server or by somebody who speaks in its name.
import type { ResetFact } from '../../model/connection-facts.ts'
import type { Detector, DetectorMeta } from '../detector.ts'
import { connectionFilter } from '../display-filter.ts'

const meta: DetectorMeta = {
  id: 'tls-reset',
  title: 'A TLS handshake was reset',
  severity: 'critical',
  basis: 'heuristic',
  message:
    'TLS with {hostWords} on {interface} was reset {afterMillis} ms after the ClientHello, {count} {count|time|times}; {originWords}.',
  advice:
    'Try the same site without the VPN or from another location: somebody on this path, or the server itself, refuses the name {hostName}.',
}

/** Paths change by a hop or two; more is another machine (rules.md 2.3). */
const MAX_SAME_PATH_TTL = 2
/** Later resets answer something else than the ClientHello. */
const MAX_AFTER_MILLIS = 10_000
const FLIGHT_EXTRAS = 64

export const tlsReset: Detector = {
  meta,
  create(context) {
    const hellos = new Map<number, { host: string; messageLen: number; answered: boolean }>()

    /** Who sent the RST: its TTL, and an identification of 0 where the server's own packets count theirs (or the reverse). */
    function originOf(fact: ResetFact): 'middlebox' | 'unknown' {
      if (fact.handshakeTtl < 0) return 'unknown'
      if (Math.abs(fact.ttl - fact.handshakeTtl) > MAX_SAME_PATH_TTL) return 'middlebox'
      return 'unknown'
    }

    function originWords(fact: ResetFact): string {
      if (fact.handshakeTtl < 0) return 'who sent the reset is not to be told'
      const ttls = `TTL ${fact.ttl}, the server's own packets had ${fact.handshakeTtl}`
      if (originOf(fact) === 'middlebox') return `not by the server: ${ttls}`
      return fact.ttl === fact.handshakeTtl
        ? `by the server or a machine beside it (${ttls})`
        : `perhaps not by the server (${ttls})`
    }

    return {
      tls(message) {
        if (message.kind === 'client-hello') {
          if (hellos.size === MAX_HELLOS) hellos.clear()
          hellos.set(message.flowId, { host: message.sni ?? '', messageLen: message.messageLen ?? 0, answered: false })
          return
        }
        const hello = hellos.get(message.flowId)
        if (hello !== undefined) hello.answered = true
      },
      flow(fact) {
        hellos.delete(fact.flowId)
      },
      reset(fact) {
        const hello = hellos.get(fact.flowId)
        if (fact.fromClient || hello === undefined || hello.answered || fact.serverBytes > 0) return
        if (fact.clientBytes > hello.messageLen + FLIGHT_EXTRAS || fact.sinceRequestMillis > MAX_AFTER_MILLIS) return
        const { name, inputName } = context.interfaceOf(fact.interfaceId)
        const host = hello.host
        context.raise(meta, {
          key: `${name} ${host === '' ? fact.serverAddress : host}`,
          timeMicros: fact.timeMicros,
          confidence: originOf(fact) === 'middlebox' ? 'strong' : 'probable',
          interface: name,
          cause: originOf(fact) === 'middlebox' ? 'injected' : 'reset-after-hello',
          data: {
            ...(host === '' ? {} : { host }),
            hostName: host === '' ? 'of this site' : host,
            server: fact.serverAddress,
            hostWords: host === '' ? fact.serverAddress : `${host} (${fact.serverAddress})`,
            afterMillis: fact.sinceRequestMillis,
            resetTtl: fact.ttl,
            serverTtl: fact.handshakeTtl,
            resetIpId: fact.ipId,
            serverIpId: fact.handshakeIpId,
            helloSegments: fact.clientSegments,
            originWords: originWords(fact),
          },
          evidence: { source: inputName, frame: fact.frameNumber },
          filter: connectionFilter(name, fact),
        })
      },
    }
  },
}

/** ClientHellos remembered until their connection ends. */
const MAX_HELLOS = 16_384
