// tls-alert: one side ended the handshake and said why (RFC 8446 6). Not a matter of sizes.
import { tlsAlertName } from '../../text/tls-tables.ts'
import type { Detector, DetectorMeta } from '../detector.ts'
import { connectionFilter } from '../display-filter.ts'
import { refusesHandshake } from '../tls-alerts.ts'

const meta: DetectorMeta = {
  id: 'tls-alert',
  title: 'A TLS handshake refused with an alert',
  severity: 'warning',
  basis: 'RFC 8446 6',
  message:
    'TLS with {hostWords} on {interface} ended with the alert {alert} ({description}) from the {sender}: {meaning}.',
  advice: '{hint}.',
}

/** What an alert says about the cause, and what to try; others speak for themselves. */
const MEANINGS: Readonly<Record<number, readonly [string, string]>> = Object.freeze({
  40: [
    'no common parameters, or a policy of the server',
    'Compare with the same site without the VPN: a policy by address range shows there',
  ],
  42: ['the certificate is broken', 'Look at the certificate that the other side sent'],
  45: ['the certificate has expired', "Check this machine's clock and the certificate's dates"],
  46: ['the certificate was not accepted', 'Look at the certificate: a proxy or virus scanner may have replaced it'],
  47: [
    'a field of the handshake was not understood',
    'Try another TLS version or client; a middlebox may have changed the handshake',
  ],
  48: [
    'the issuer of the certificate is not trusted here',
    'Look who issued the certificate: a proxy or virus scanner may have replaced it',
  ],
  49: ['the server refuses this client', 'Try another VPN location: the server may refuse this exit address'],
  50: ['the message could not be read', 'Try another TLS version; a middlebox may have changed the handshake'],
  70: ['no common TLS version', 'Update the client or the server: they share no version'],
  71: ['the ciphers offered are too weak for the server', 'Update the client'],
  80: ['the server failed', 'Try again later, and without the VPN: the server had an error of its own'],
  86: ['the client fell back to an older version', 'Find out why its first attempt failed'],
  109: ['an extension is missing', 'Update the client or the server'],
  112: ['the server does not know that name', 'Check the name and whether DNS sent the client to the right address'],
  116: ['the server wants a client certificate', 'Configure a client certificate for this site'],
  120: ['no common application protocol', 'Check which protocols (ALPN) the client offers'],
})

export const tlsAlert: Detector = {
  meta,
  create(context) {
    const hosts = new Map<number, string>()
    return {
      tls(message) {
        if (message.kind === 'client-hello') {
          if (hosts.size === MAX_HOSTS) hosts.clear()
          hosts.set(message.flowId, message.sni ?? '')
          return
        }
        if (!refusesHandshake(message)) return
        const code = message.alertDescription!
        const { name, inputName } = context.interfaceOf(message.interfaceId)
        const host = hosts.get(message.flowId) ?? ''
        const [meaning, hint] = MEANINGS[code] ?? [
          'the other side did not go on',
          'Look at the handshake in the packets shown',
        ]
        const sender = message.fromClient ? 'client' : 'server'
        context.raise(meta, {
          key: `${name} ${host === '' ? message.serverAddress : host} ${code} ${sender}`,
          timeMicros: message.timeMicros,
          confidence: 'proven',
          interface: name,
          cause: tlsAlertName(code),
          data: {
            ...(host === '' ? {} : { host }),
            server: message.serverAddress,
            hostWords: host === '' ? message.serverAddress : `${host} (${message.serverAddress})`,
            alert: code,
            description: tlsAlertName(code),
            sender,
            meaning,
            hint,
          },
          evidence: { source: inputName, frame: message.frameNumber },
          filter: connectionFilter(name, message),
        })
      },
      flow(fact) {
        hosts.delete(fact.flowId)
      },
    }
  },
}

/** Names remembered until their connection ends. */
const MAX_HOSTS = 16_384
