// dns-leak-encrypted: a resolver reached outside the tunnel over TLS, QUIC, HTTPS or DNSCrypt (rules.md R5-R7): the names
// are hidden from the network, that resolver and the moment of every question are not.
import type { EncryptedDnsFact } from '../../model/dns-facts.ts'
import type { Severity } from '../../model/finding.ts'
import type { Detector, DetectorMeta } from '../detector.ts'
import { serverFilter } from '../display-filter.ts'

const TRANSPORT_WORDS: Readonly<Record<EncryptedDnsFact['transport'], string>> = Object.freeze({
  dot: 'DNS over TLS',
  doh: 'DNS over HTTPS',
  doq: 'DNS over QUIC',
  dnscrypt: 'DNSCrypt',
})

/** By what it was known to be DNS, as half a sentence. */
const EVIDENCE_WORDS: Readonly<Record<EncryptedDnsFact['evidence'], string>> = Object.freeze({
  alpn: 'the client asks for that protocol',
  port: 'the port is reserved for it',
  content: 'the packets carry its marker',
  named: 'the server was named with --doh',
  name: 'the server’s name is a resolver’s',
  bootstrap: 'the machine had just looked the resolver up',
  address: 'the address is a known resolver’s',
})

const CAUSE_WORDS: Readonly<Record<string, string>> = Object.freeze({
  misbound: ', with the tunnel’s own address as its source',
  'route-injection': ', along a route that the network handed out while the tunnel was up',
  'v6-bypass': ' over IPv6, which the tunnel does not carry',
  'lan-forwarder': ' on the LAN',
})

const meta: DetectorMeta = {
  id: 'dns-leak-encrypted',
  title: 'Encrypted DNS outside the tunnel',
  severity: 'critical',
  basis: 'RFC 8484 4',
  message:
    '{count} {words} {count|connection|connections} left outside the tunnel on {interface} to {who}{where}: {evidence}. The names are hidden, the resolver and the times are not.',
  advice:
    'Let the program use the VPN’s resolver (browsers: secure DNS off or set to the VPN’s), or route {server} into the tunnel.',
}

/** Another resolver would not help where the protocol goes around the tunnel. */
const BYPASS_ADVICE = 'Let the VPN carry IPv6, or switch it off on {interface} while the VPN is up.'

export const dnsLeakEncrypted: Detector = {
  meta,
  create(context) {
    return {
      encryptedDns(fact) {
        if (fact.judgement !== 'leak-encrypted') return
        const { transport, serverAddress, cause, confidence, evidence, host } = fact
        const one = context.interfaceOf(fact.interfaceId)
        context.raise(meta, {
          key: `${one.name} ${serverAddress} ${transport} ${cause}`,
          timeMicros: fact.timeMicros,
          confidence,
          severity: severityOf(confidence),
          basis: fact.basis,
          ...(cause === 'v6-bypass' ? { advice: BYPASS_ADVICE } : {}),
          cause,
          interface: one.name,
          data: {
            server: serverAddress,
            port: fact.serverPort,
            transport,
            words: TRANSPORT_WORDS[transport],
            who: host === undefined ? serverAddress : `${host} (${serverAddress})`,
            where: CAUSE_WORDS[cause] ?? '',
            evidence: EVIDENCE_WORDS[evidence],
            ...(host === undefined ? {} : { host }),
          },
          evidence: { source: one.inputName, frame: fact.frameNumber },
          filter: serverFilter(one.name, serverAddress, fact.serverPort, fact.ipProtocol),
        })
      },
    }
  },
}

/** rules.md R7: by name high, by address medium, by shape low. */
function severityOf(confidence: EncryptedDnsFact['confidence']): Severity {
  if (confidence === 'weak') return 'info'
  return confidence === 'probable' ? 'warning' : 'critical'
}
