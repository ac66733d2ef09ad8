// tls-stalled: a TLS handshake that stops after its first message, and where: going out, coming back, or at the server.
import type { StallFact } from '../../model/connection-facts.ts'
import type { Detector, DetectorMeta, RaisedFinding } from '../detector.ts'
import { connectionFilter } from '../display-filter.ts'
import { SMALL_PACKET_LEN } from '../trackers/path-table.ts'

const meta: DetectorMeta = {
  id: 'tls-stalled',
  title: 'A TLS handshake that stalled',
  severity: 'warning',
  basis: 'heuristic',
  message:
    'TLS with {hostWords} on {interface} stood still for {quietSeconds} s after the ClientHello of {helloLen} bytes: {where}.',
  advice: '',
}

const ADVICE: Readonly<Record<string, string>> = Object.freeze({
  uplink:
    'Look at mtu-black-hole for {interface}: large packets to {server} get no answer; try a ClientHello of one packet (curl) to see whether size matters.',
  downlink:
    'Look at mtu-black-hole for {interface}: the short end of the answer came and its large packets did not; lower the MTU of {interface} and try again.',
  small:
    'Not an MTU matter: packets of {sentLen} bytes are lost too. Look at tcp-lossy for {interface}, and try the same site without the VPN.',
  unheard:
    'Look at this machine: a firewall may drop the answer after it was captured; on a capture made elsewhere, look at the path from there to the client.',
  silent:
    'Try the same site with the MTU of {interface} lowered to 1280: if it works then, size is the reason; if not, a firewall or the server keeps silent.',
  'answer-incomplete':
    'Try the same site with the MTU of {interface} lowered to 1280: the answer began and its large packets are missing.',
})

/** All of them about that time: what stood still may go on later. */
const WHERE: Readonly<Record<string, string>> = Object.freeze({
  uplink: 'the ClientHello itself was sent {sentCount} times and not acknowledged',
  rest: 'the server acknowledged it, but not the {restLen} bytes behind it, which were sent {sentCount} times',
  downlink: '{gapLen} bytes of the answer are missing although what was sent after them is here',
  silent: 'the server acknowledged it and did not answer',
  unheard: 'the answer of {serverSeenBytes} bytes was seen here, but the client acknowledged nothing of it',
  'answer-incomplete': 'the server began to answer ({serverBytes} bytes) and fell silent',
})

/** Record headers, a fake ChangeCipherSpec and early data's framing: what a first flight has beside its ClientHello. */
const FLIGHT_EXTRAS = 64

type Told = Pick<RaisedFinding, 'confidence' | 'severity' | 'message' | 'advice' | 'data' | 'filter'>

interface Hello {
  host: string
  messageLen: number
  /** Under which key its connection has been told of already. */
  toldKey: string
}

export const tlsStalled: Detector = {
  meta,
  create(context) {
    const hellos = new Map<number, Hello>()
    /** What was shown of each key, so that a mere silence later does not take it back. */
    const shown = new Map<string, Told>()

    return {
      tls(message) {
        if (message.kind !== 'client-hello') return
        if (hellos.size === MAX_HELLOS) hellos.clear()
        const { sni = '', messageLen = 0 } = message
        hellos.set(message.flowId, { host: sni, messageLen, toldKey: '' })
      },
      flow(fact) {
        hellos.delete(fact.flowId)
      },
      stall(fact) {
        const hello = hellos.get(fact.flowId)
        if (hello === undefined || fact.clientBytes > hello.messageLen + FLIGHT_EXTRAS) return
        const { name, inputName } = context.interfaceOf(fact.interfaceId)
        const cause = causeOf(fact)
        const isKnown = isShown(fact, cause)
        const isAcknowledged = fact.clientAckedBytes >= hello.messageLen
        const where = cause === 'uplink' && isAcknowledged ? 'rest' : cause
        const isSmall = cause === 'uplink' && fact.sentLen > 0 && fact.sentLen <= SMALL_PACKET_LEN
        const data = {
          ...(hello.host === '' ? {} : { host: hello.host }),
          server: fact.serverAddress,
          hostWords: hello.host === '' ? fact.serverAddress : `${hello.host} (${fact.serverAddress})`,
          helloLen: hello.messageLen,
          quietSeconds: (fact.quietMillis / 1000).toFixed(1),
          sentCount: fact.sentCount,
          sentLen: fact.sentLen,
          restLen: fact.clientBytes - fact.clientAckedBytes,
          gapLen: fact.gapLen,
          serverBytes: fact.serverBytes,
          serverSeenBytes: fact.serverSeenBytes,
        }
        const key = `${name} ${hello.host === '' ? fact.serverAddress : hello.host} ${cause}`
        const isTold = hello.toldKey === key
        hello.toldKey = key
        const told: Told = {
          confidence: isKnown ? 'probable' : 'weak',
          severity: isKnown ? 'warning' : 'info',
          message: meta.message.replace('{where}', WHERE[where]!),
          advice: ADVICE[isSmall ? 'small' : cause]!,
          data,
          filter: connectionFilter(name, fact),
        }
        if (isKnown && (shown.has(key) || shown.size < MAX_SHOWN)) shown.set(key, told)
        context.raise(meta, {
          ...(shown.get(key) ?? told),
          key,
          timeMicros: fact.timeMicros,
          interface: name,
          cause,
          count: isTold ? 0 : 1,
          ...(isTold ? {} : { evidence: { source: inputName, frame: fact.frameNumber } }),
        })
      },
    }
  },
}

function causeOf(fact: StallFact): string {
  if (!fact.clientAcknowledged) return 'uplink'
  if (fact.gapLen > 0) return 'downlink'
  if (fact.serverBytes > 0) return 'answer-incomplete'
  return fact.serverSeenBytes > 0 ? 'unheard' : 'silent'
}

/**
 * Silence alone may be a capture that left the rest out, and an answer without a gap may have been all there was: packets
 * that were sent again, that are missing, or a client that gave up waiting for the first byte show a stall.
 */
function isShown(fact: StallFact, cause: string): boolean {
  if (cause === 'uplink') return fact.sentCount > 1
  if (cause === 'silent' || cause === 'unheard') return fact.closedByClient
  return cause === 'downlink'
}

/** ClientHellos remembered until their connection ends. */
const MAX_HELLOS = 16_384
/** Keys remembered; a machine that meets more of them has other worries. */
const MAX_SHOWN = 1024
