// What the engine says: findings and the verdict, exactly as they are stored, streamed and printed.

export type Severity = 'critical' | 'warning' | 'info'
export type Confidence = 'proven' | 'strong' | 'probable' | 'weak'
export type DnsVerdict = 'ok' | 'leak' | 'mixed' | 'no-tunnel' | 'unknown'

/** Greater is worse. */
export const SEVERITY_RANK: Readonly<Record<Severity, number>> = Object.freeze({ info: 0, warning: 1, critical: 2 })

/** One packet that shows a finding. */
export interface Evidence {
  source: string
  frame: number
}

/** Which program sent it, where that is known. */
export interface ProcessRef {
  pid: number
  name: string
  uid?: number
}

/** Raised once per (id, key) and then counted. Times are ISO 8601, UTC, microseconds. */
export interface Finding {
  id: string
  severity: Severity
  confidence: Confidence
  /** The standard it rests on (`RFC 1035 4.2.1`), or `heuristic`. */
  basis: string
  key: string
  epoch: number
  time: string
  last: string
  count: number
  interface?: string
  process?: ProcessRef
  cause?: string
  /** One sentence with the names and numbers in it. */
  summary: string
  /** What to do next, one sentence. */
  advice: string
  data: Record<string, unknown>
  evidence: Evidence[]
  /** A Wireshark display filter that shows it. */
  filter?: string
}
