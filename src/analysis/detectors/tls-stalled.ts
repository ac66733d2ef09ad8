// tls-stalled: a TLS handshake that stops after its first message, and where: going out, coming back, or at the server.
import type { StallFact } from '../../model/connection-facts.ts'
import type { Detector, DetectorMeta } from '../detector.ts'
import { connectionFilter } from '../display-filter.ts'

const meta: DetectorMeta = {
  id: 'tls-stalled',
  title: 'A TLS handshake that stalled',
  severity: 'warning',
  basis: 'heuristic',
  message:
    'TLS with {hostWords} on {interface} stopped after the ClientHello of {helloLen} bytes, {quietSeconds} s without progress: {where}.',
  advice: '',
}

const ADVICE: Readonly<Record<string, string>> = Object.freeze({
  uplink:
    'Look at mtu-black-hole for {interface}: large packets to {server} get no answer; try a ClientHello of one packet (curl) to see whether size matters.',
  downlink:
    'Look at mtu-black-hole for {interface}: the short end of the answer came and its large packets did not; lower the MTU of {interface} and try again.',
  silent:
    'Try the same site with the MTU of {interface} lowered to 1280: if it works then, size is the reason; if not, a firewall or the server keeps silent.',
  'answer-incomplete':
    'Try the same site with the MTU of {interface} lowered to 1280: the answer began and its large packets are missing.',
})

const WHERE: Readonly<Record<string, string>> = Object.freeze({
  uplink: 'the ClientHello itself was sent {sentCount} times and never acknowledged',
  downlink: '{gapLen} bytes of the answer are missing although what was sent after them is here',
  silent: 'the server acknowledged it and never answered',
  'answer-incomplete': 'the server began to answer ({serverBytes} bytes) and fell silent',
})

/** Record headers, a fake ChangeCipherSpec and early data's framing: what a first flight has beside its ClientHello. */
const FLIGHT_EXTRAS = 64

export const tlsStalled: Detector = {
  meta,
  create(context) {
    const hellos = new Map<number, { host: string; messageLen: number }>()

    function causeOf(fact: StallFact): string {
      if (!fact.clientAcknowledged) return 'uplink'
      if (fact.gapLen > 0) return 'downlink'
      return fact.serverBytes === 0 ? 'silent' : 'answer-incomplete'
    }

    return {
      tls(message) {
        if (message.kind !== 'client-hello') return
        if (hellos.size === MAX_HELLOS) hellos.clear()
        hellos.set(message.flowId, { host: message.sni ?? '', messageLen: message.messageLen ?? 0 })
      },
      flow(fact) {
        hellos.delete(fact.flowId)
      },
      stall(fact) {
        const hello = hellos.get(fact.flowId)
        if (hello === undefined || fact.clientBytes > hello.messageLen + FLIGHT_EXTRAS) return
        const { name, inputName } = context.interfaceOf(fact.interfaceId)
        const cause = causeOf(fact)
        const data = {
          ...(hello.host === '' ? {} : { host: hello.host }),
          server: fact.serverAddress,
          hostWords: hello.host === '' ? fact.serverAddress : `${hello.host} (${fact.serverAddress})`,
          helloLen: hello.messageLen,
          quietSeconds: (fact.quietMillis / 1000).toFixed(1),
          sentCount: fact.sentCount,
          gapLen: fact.gapLen,
          serverBytes: fact.serverBytes,
        }
        context.raise(meta, {
          key: `${name} ${hello.host === '' ? fact.serverAddress : hello.host} ${cause}`,
          timeMicros: fact.timeMicros,
          confidence: isShown(fact, cause) ? 'probable' : 'weak',
          severity: isShown(fact, cause) ? 'warning' : 'info',
          interface: name,
          cause,
          message: meta.message.replace('{where}', WHERE[cause]!),
          advice: ADVICE[cause]!,
          data,
          evidence: { source: inputName, frame: fact.frameNumber },
          filter: connectionFilter(name, fact),
        })
      },
    }
  },
}

/**
 * Silence alone may be a capture that left the rest out, and an answer without a gap may have been all there was: packets
 * that were sent again, that are missing, or a client that gave up waiting for the first byte show a stall.
 */
function isShown(fact: StallFact, cause: string): boolean {
  if (cause === 'uplink') return fact.sentCount > 1
  if (cause === 'silent') return fact.closedByClient
  return cause === 'downlink'
}

/** ClientHellos remembered until their connection ends. */
const MAX_HELLOS = 16_384
