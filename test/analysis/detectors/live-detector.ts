// A detector by itself, as the daemon runs it: facts and the time in, findings out, and no end in sight.
import type { Detector, DetectorContext, RaisedFinding } from '../../../src/analysis/detector.ts'
import type { DnsExchange } from '../../../src/model/dns-facts.ts'
import type { FactHandlers } from '../../../src/model/facts.ts'

/** Answers by their set; 0 is the empty one. */
const sets: string[] = ['']

function setOf(answers: readonly string[]): number {
  const text = answers.join(' ')
  if (!sets.includes(text)) sets.push(text)
  return sets.indexOf(text)
}

/** The detector's handlers, and what it raised so far. */
export function liveDetector(detector: Detector): { handlers: FactHandlers; raised: RaisedFinding[] } {
  const raised: RaisedFinding[] = []
  const context = {
    raise: (_: unknown, finding: RaisedFinding) => void raised.push(finding),
    ownerOf: () => undefined,
    answersOf: (set: number) => sets[set]!.split(' '),
    interfaceOf: () => ({ name: 'wg0', inputName: 'live' }),
  }
  return { handlers: detector.create(context as unknown as DetectorContext), raised }
}

/** An answered question at `atMillis`. */
export function answeredExchange(atMillis: number, more: Partial<DnsExchange>): DnsExchange {
  const made = {
    name: 'shop.example.com',
    nameId: 1,
    type: 1,
    typeName: 'A',
    serverAddress: '203.0.113.53',
    serverPort: 53,
    transport: 'udp',
    interfaceId: 1,
    interfaceName: 'wg0',
    inputName: 'live',
    queryMicros: atMillis * 1000,
    responseMicros: atMillis * 1000 + 3000,
    outcome: 'answered',
    judgement: 'inside',
    answers: ['198.51.100.66'],
  }
  const whole = { ...made, ...more }
  return { ...whole, answerSet: setOf(whole.answers) } as unknown as DnsExchange
}
