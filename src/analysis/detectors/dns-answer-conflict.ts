// dns-answer-conflict: one question, two answers that contradict each other, or an answer that came in elsewhere
// (rules.md R12, R13).
import type { SecondAnswerFact } from '../../model/dns-facts.ts'
import type { Detector, DetectorMeta } from '../detector.ts'
import { dnsFilter } from '../display-filter.ts'

const meta: DetectorMeta = {
  id: 'dns-answer-conflict',
  title: 'Contradicting DNS answers',
  severity: 'warning',
  basis: 'RFC 5452 9',
  message: '{host} asked of {server} on {interface} once: {what}.',
  advice: 'Somebody on the path may answer instead of {server}; ask for {host} over DNS-over-TLS or inside the tunnel.',
}

export const dnsAnswerConflict: Detector = {
  meta,
  create(context) {
    function check(exchange: SecondAnswerFact): void {
      const other = exchange.otherAnswer
      if (other === undefined) return
      const isSecond = other.kind === 'second'
      if (!isSecond && exchange.outcome === 'answered') return
      const first = exchange.answers.join(', ') || `code ${exchange.rcode}`
      const second = other.answers.join(', ') || `code ${other.rcode}`
      context.raise(meta, {
        key: `${exchange.interfaceName} ${exchange.serverAddress} ${exchange.nameId} ${exchange.type}`,
        timeMicros: exchange.queryMicros,
        confidence: isSecond ? 'strong' : 'probable',
        basis: isSecond ? 'RFC 5452 9' : 'RFC 5452 9.1',
        cause: isSecond ? 'two-answers' : 'other-interface',
        interface: exchange.interfaceName,
        data: {
          host: exchange.name,
          server: exchange.serverAddress,
          answers: exchange.answers,
          otherAnswers: other.answers,
          what: isSecond
            ? `the first answer was ${first}, the second ${second}`
            : `the answer (${second}) came in on ${other.interfaceName}`,
        },
        evidence: { source: exchange.inputName, frame: isSecond ? other.frame : exchange.queryFrame },
        filter: dnsFilter(exchange),
      })
    }
    return { dnsExchange: check, secondAnswer: check }
  },
}
