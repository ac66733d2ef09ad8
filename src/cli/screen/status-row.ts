// The status line: the verdict with its completeness first, then the figures of the moment, then the keys. What does
// not fit is left out from the end, so that the verdict is always there.
import type { DnsVerdict } from '../../model/finding.ts'
import { displayWidth, escapeForTerminal, truncateToWidth } from '../../text/escape.ts'
import type { Style } from '../../text/style.ts'

export interface StatusFacts {
  readonly connection: 'waiting' | 'connected' | 'lost'
  readonly verdict:
    | {
        readonly dns: DnsVerdict
        readonly complete: boolean
        readonly reasons: readonly string[]
        readonly coverage: { readonly questionsOutside: number; readonly questionsInTunnel: number }
      }
    | undefined
  readonly stats:
    | {
        readonly packetsPerSecond: number
        readonly dropped: number
        readonly tunnel: 'up' | 'down' | 'none'
        readonly resolver?: string | undefined
      }
    | undefined
  readonly store: { readonly paused: boolean; readonly lost: number } | undefined
  /** Findings held back while the screen stands still; undefined when it does not. */
  readonly heldBack: number | undefined
  readonly filter: string
  readonly search: string
}

const SEPARATOR = ' │ '

/** The line, at most `columns` wide, without a newline. */
export function statusRow(facts: StatusFacts, columns: number, style: Style): string {
  const parts: { text: string; paint: (text: string) => string }[] = []
  const add = (text: string, paint: (text: string) => string = style.dim) => {
    parts.push({ text: escapeForTerminal(text), paint })
  }
  if (facts.connection !== 'connected') {
    add(facts.connection === 'waiting' ? 'waiting for the daemon' : 'daemon gone, reconnecting', style.warn)
  }
  if (facts.heldBack !== undefined) add(`paused, ${facts.heldBack} held back`, style.warn)
  addVerdict(facts, add, style)
  if (facts.store?.paused === true) add('STORE PAUSED', style.bad)
  if (facts.stats !== undefined) {
    const { packetsPerSecond, dropped, tunnel, resolver } = facts.stats
    add(tunnel === 'none' ? 'no tunnel' : `tunnel ${tunnel}`, tunnel === 'down' ? style.bad : style.dim)
    add(`${countText(Math.round(packetsPerSecond))} pkt/s`)
    add(`${countText(dropped)} dropped`, dropped > 0 ? style.warn : style.dim)
    if (resolver !== undefined) add(`resolver ${resolver}`)
  }
  if (facts.verdict !== undefined) {
    const { questionsOutside, questionsInTunnel } = facts.verdict.coverage
    const all = countText(questionsOutside + questionsInTunnel)
    add(`${countText(questionsOutside)} of ${all} questions outside, leaked or expected`)
  }
  if (facts.filter !== '') add(`filter ${facts.filter}`, style.name)
  if (facts.search !== '') add(`/${facts.search}`, style.name)
  add('q quit  / search  p pause  f filter')

  let line = ''
  let width = 0
  for (const { text, paint } of parts) {
    const separator = line === '' ? '' : SEPARATOR
    const room = columns - width - separator.length
    // The first part is cut, any other is there whole or not at all.
    if (line !== '' && displayWidth(text) > room) break
    const shown = truncateToWidth(text, room)
    line += style.dim(separator) + paint(shown)
    width += separator.length + displayWidth(shown)
  }
  return line
}

type Add = (text: string, paint?: (text: string) => string) => void

/** Never "no leak": only what was seen, and how much was looked at. */
function addVerdict({ verdict, connection }: StatusFacts, add: Add, style: Style): void {
  if (verdict === undefined) {
    if (connection === 'connected') add('no verdict yet')
    return
  }
  const { questionsOutside, questionsInTunnel } = verdict.coverage
  const questions = countText(questionsOutside + questionsInTunnel)
  if (verdict.dns === 'leak') add('DNS LEAK', style.bad)
  else if (verdict.dns === 'mixed') add('DNS LEAK, some questions', style.bad)
  else if (verdict.dns === 'ok') add(`DNS ok: none of ${questions} questions seen leaking`, style.good)
  else add(verdict.dns === 'no-tunnel' ? 'no tunnel, no verdict' : 'DNS verdict unknown', style.warn)
  if (verdict.complete) add('complete')
  else add(`INCOMPLETE: ${verdict.reasons[0] ?? 'unknown reason'}`, style.warn)
}

/** 1240 as `1,240`, the same in every locale. */
export function countText(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}
