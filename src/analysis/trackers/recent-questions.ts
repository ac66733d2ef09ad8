// What was asked lately, by name and type: a question outside is explained by its twin inside, on the LAN or on a bridge.
import type { ExchangeView } from './exchange-view.ts'
import type { NameTable } from './names.ts'

/** One question as it was judged. */
export interface RecentQuestion {
  readonly timeMicros: number
  readonly interfaceId: number
  /** Where it went. */
  readonly side: 'inside' | 'outside' | 'local'
  readonly clientId: number
  readonly clientPort: number
  readonly serverId: number
  readonly server: string
  readonly dnsId: number
  readonly outcome: 'answered' | 'timed-out' | 'undecided'
}

export interface RecentQuestions {
  note(view: ExchangeView, side: RecentQuestion['side']): void
  /** Those of the same name and type, oldest first. */
  of(view: ExchangeView): readonly RecentQuestion[]
  /** When a name of that one label, in lower case, was last asked inside, of whatever type; −Infinity if never. */
  labelInsideMicros(label: string): number
}

/** Names remembered; twins are seconds apart, so that forgetting all of them now and then loses next to nothing. */
const MAX_QUESTIONS = 1 << 14
/** Per name: a client that fails over asks a handful of resolvers. */
const MAX_TWINS = 8
/** Names of one label remembered; a machine knows a handful of hosts by them. */
const MAX_LABELS = 1 << 10
const NONE: readonly RecentQuestion[] = Object.freeze([])

export function createRecentQuestions(names: Pick<NameTable, 'wire'>): RecentQuestions {
  const byQuestion = new Map<number, RecentQuestion[]>()
  const insideByLabel = new Map<string, number>()

  function noteLabel(view: ExchangeView): void {
    const wire = names.wire(view.nameId)
    if (wire.length < 3 || wire.length !== wire[0]! + 2) return
    if (insideByLabel.size >= MAX_LABELS) insideByLabel.clear()
    insideByLabel.set(view.name, view.queryMicros)
  }

  return {
    note(view, side) {
      if (side === 'inside') noteLabel(view)
      const key = view.nameId * 65_536 + view.type
      let list = byQuestion.get(key)
      if (list === undefined) {
        if (byQuestion.size >= MAX_QUESTIONS) byQuestion.clear()
        list = []
        byQuestion.set(key, list)
      }
      if (list.length === MAX_TWINS) list.shift()
      list.push({
        timeMicros: view.queryMicros,
        interfaceId: view.interfaceId,
        side,
        clientId: view.clientId,
        clientPort: view.clientPort,
        serverId: view.serverId,
        server: view.serverAddress,
        dnsId: view.dnsId,
        outcome: view.outcome,
      })
    },
    of: (view) => byQuestion.get(view.nameId * 65_536 + view.type) ?? NONE,
    labelInsideMicros: (label) => insideByLabel.get(label) ?? Number.NEGATIVE_INFINITY,
  }
}
