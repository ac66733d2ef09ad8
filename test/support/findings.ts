// Findings, epochs and figures made up for tests of what happens after the engine.
import type { Finding } from '../../src/model/finding.ts'
import type { Epoch, Stats, Verdict } from '../../src/model/report.ts'
import type { SiteObservation } from '../../src/model/site.ts'
import { utcTime } from '../../src/text/timestamp.ts'

/** 2026-01-02T03:04:05Z. */
export const START_MICROS = 1_767_323_045_000_000

export function makeFinding(changes: Partial<Finding> = {}): Finding {
  return {
    id: 'dns-leak',
    severity: 'critical',
    confidence: 'proven',
    basis: 'RFC 1035 4.2.1',
    key: 'eth0 192.0.2.53',
    epoch: 1,
    time: utcTime(START_MICROS),
    last: utcTime(START_MICROS),
    count: 1,
    interface: 'eth0',
    cause: 'outside-tunnel',
    summary: '1 DNS question left outside the tunnel on eth0 to 192.0.2.53: www.example.com.',
    advice: 'Block port 53 outside the tunnel.',
    data: { host: 'www.example.com', server: '192.0.2.53' },
    evidence: [{ source: 'eth0', frame: 7 }],
    filter: 'dns && ip.dst == 192.0.2.53',
    ...changes,
  }
}

export function makeEpoch(changes: Partial<Epoch> = {}): Epoch {
  return {
    id: 1,
    start: utcTime(START_MICROS),
    reason: 'start',
    tunnelUp: true,
    connected: true,
    tunnelInterfaces: ['wg0'],
    egressInterface: 'eth0',
    resolvers: ['10.64.0.1'],
    verdict: { dns: 'leak', questionsOutside: 3, questionsInTunnel: 40, leaked: 3 },
    ...changes,
  }
}

/** A site that works without a tunnel. */
export function makeSite(changes: Partial<SiteObservation> = {}): SiteObservation {
  return {
    host: 'www.example.com',
    epoch: 1,
    first: utcTime(START_MICROS),
    last: utcTime(START_MICROS),
    network: { tunnel: 'none', interface: 'eth0', family: 4 },
    outcome: 'works',
    visits: 1,
    failures: 0,
    addresses: [{ address: '198.51.100.80' }],
    evidence: [{ source: 'eth0', frame: 7 }],
    ...changes,
  }
}

export function makeVerdict(changes: Partial<Verdict> = {}): Verdict {
  return {
    dns: 'mixed',
    complete: true,
    reasons: [],
    coverage: {
      packets: 1000,
      dropped: 0,
      interfacesWatched: 2,
      interfacesUp: 2,
      dnsMessages: 86,
      questionsOutside: 3,
      questionsInTunnel: 40,
      connections: 12,
      explainedConnections: 12,
    },
    ...changes,
  }
}

export function makeStats(changes: Partial<Stats> = {}): Stats {
  return {
    time: utcTime(START_MICROS),
    packets: 1000,
    packetsPerSecond: 1240,
    bytesPerSecond: 600_000,
    dropped: 0,
    tunnel: 'up',
    resolver: '10.64.0.1',
    ...changes,
  }
}
