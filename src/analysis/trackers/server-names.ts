// Names that resolved to a VPN's server (rules.md X1). Live, the answer is long judged and gone when its server comes into
// use, or when the name is asked again while the tunnel is up: the latest answers are kept for that.
import { type AnswerTable, NO_ANSWERS } from './dns-answers.ts'
import type { VpnEndpoint } from './vpn-transport.ts'

/** Answers remembered: a busy machine's last minutes. */
const MAX_ANSWERS = 4096
/** Names kept for good once they proved to be a server's. */
const MAX_NAMES = 1024

export interface ServerNames {
  /** A name was answered with that set of addresses. */
  answered(nameId: number, answers: number): void
  /** By name, the moment from which its server was in use; `held` tells the answers that are not judged yet. */
  of(
    servers: readonly VpnEndpoint[],
    held: (each: (nameId: number, answers: number) => void) => void,
  ): ReadonlyMap<number, number>
}

export function createServerNames(table: AnswerTable): ServerNames {
  const names = new Uint32Array(MAX_ANSWERS)
  const sets = new Uint32Array(MAX_ANSWERS)
  const found = new Map<number, number>()
  let next = 0

  return {
    answered(nameId, answers) {
      if (answers === NO_ANSWERS) return
      names[next] = nameId
      sets[next] = answers
      next = (next + 1) % MAX_ANSWERS
    },
    of(servers, held) {
      if (servers.length === 0) return found
      const usedMicros = new Map<number, number>()
      for (const { addressId, firstMicros } of servers) {
        usedMicros.set(addressId, Math.min(usedMicros.get(addressId) ?? Number.POSITIVE_INFINITY, firstMicros))
      }
      /** Many answers are held, and few of them differ: each set is looked into once. */
      const micros = new Map<number, number>([[NO_ANSWERS, Number.POSITIVE_INFINITY]])
      const earliest = (answers: number): number => {
        const uses = table.addressesOf(answers).map((id) => usedMicros.get(id) ?? Number.POSITIVE_INFINITY)
        const first = Math.min(...uses)
        micros.set(answers, first)
        return first
      }
      const look = (nameId: number, answers: number): void => {
        const first = micros.get(answers) ?? earliest(answers)
        if (first === Number.POSITIVE_INFINITY) return
        const before = found.get(nameId)
        if (before === undefined && found.size === MAX_NAMES) return
        found.set(nameId, Math.min(before ?? Number.POSITIVE_INFINITY, first))
      }
      for (let index = 0; index < MAX_ANSWERS; index++) look(names[index]!, sets[index]!)
      held(look)
      return found
    },
  }
}
