// The counts behind the verdict, in all and per epoch (rules.md 1.2, 6).
import type { DnsExchange } from '../../model/dns-facts.ts'
import type { DnsVerdict } from '../../model/finding.ts'

export interface QuestionCounts {
  /** Outside while a tunnel was up or wanted: leaked and expected ones. */
  outside: number
  inTunnel: number
  leaked: number
  /** Questions whose context was not known well enough. */
  unknown: number
}

/** What is counted: questions, and encrypted connections as one question each. */
export type Counted = Pick<DnsExchange, 'judgement' | 'epoch' | 'questions'>

export interface VerdictCounter {
  exchange(exchange: Counted): void
  readonly total: QuestionCounts
  ofEpoch(epoch: number): QuestionCounts
  /** The earliest epoch in which something was counted since the last call; Infinity when nothing was. */
  takeCountedFrom(): number
  dnsMessages: number
}

export function createVerdictCounter(): VerdictCounter {
  const total = emptyCounts()
  const byEpoch = new Map<number, QuestionCounts>()
  let countedFrom = Number.POSITIVE_INFINITY
  const ofEpoch = (epoch: number): QuestionCounts => {
    let counts = byEpoch.get(epoch)
    if (counts === undefined) {
      counts = emptyCounts()
      byEpoch.set(epoch, counts)
    }
    return counts
  }
  return {
    exchange(exchange) {
      count(total, exchange)
      count(ofEpoch(exchange.epoch), exchange)
      countedFrom = Math.min(countedFrom, exchange.epoch)
    },
    total,
    ofEpoch,
    takeCountedFrom() {
      const from = countedFrom
      countedFrom = Number.POSITIVE_INFINITY
      return from
    },
    dnsMessages: 0,
  }
}

/** `insideSeen`: what went through the tunnel was captured. `leak`: all that was asked while the tunnel was up left outside; `mixed`: some did (product.md, Verdict). */
export function verdictOf(hasTunnel: boolean, counts: QuestionCounts, insideSeen = true): DnsVerdict {
  if (!hasTunnel) return 'no-tunnel'
  if (!insideSeen) return counts.leaked > 0 ? 'leak' : 'unknown'
  if (counts.leaked > 0) return counts.inTunnel > 0 ? 'mixed' : 'leak'
  return counts.unknown > 0 && counts.inTunnel === 0 ? 'unknown' : 'ok'
}

function emptyCounts(): QuestionCounts {
  return { outside: 0, inTunnel: 0, leaked: 0, unknown: 0 }
}

function count(counts: QuestionCounts, exchange: Counted): void {
  switch (exchange.judgement) {
    case 'inside':
      counts.inTunnel += exchange.questions
      break
    case 'leak':
    case 'leak-window':
    case 'leak-encrypted':
      counts.leaked += exchange.questions
      counts.outside += exchange.questions
      break
    case 'expected':
      counts.outside += exchange.questions
      break
    case 'unknown':
      counts.unknown += exchange.questions
      break
  }
}
