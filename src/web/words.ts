// What the page says, in words. Never "no leak": only what was seen, and how much was looked at.
import { escapeForTerminal } from '../text/escape.ts'
import type { Epoch, Verdict } from './told.ts'

export type Mood = 'good' | 'bad' | 'unsure' | 'plain'

/** A sentence of ours is shorter; what is longer holds a name that somebody made long. */
export const MAX_SHOWN_LEN = 600
/** A DNS name with every byte escaped would be longer, and nobody would read it. */
export const MAX_SHOWN_NAME_LEN = 260

/** Text from the wire as the page shows it: what acts instead of being seen is written out, what is endless is cut. */
export function shown(text: string, most = MAX_SHOWN_LEN): string {
  // Not through the middle of a surrogate pair.
  const kept = text.length <= most ? text : text.slice(0, most).replace(/[\ud800-\udbff]$/, '')
  const cut = text.length - kept.length
  return escapeForTerminal(kept) + (cut === 0 ? '' : ` … (${countText(cut)} more characters)`)
}

/** A name of the DNS; the root has none, and an encrypted question hides it. */
export function nameText(name: string | null): string {
  return name === null ? '(encrypted)' : name === '' ? '.' : shown(name, MAX_SHOWN_NAME_LEN)
}

/** 1240 as `1,240`, the same in every locale. */
export function countText(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',')
}

/** `1 question`, `1,240 questions`. */
export function counted(count: number, thing: string): string {
  return `${countText(count)} ${thing}${count === 1 ? '' : 's'}`
}

export interface VerdictWords {
  readonly mood: Mood
  readonly headline: string
  readonly sentence: string
}

/** What is so now, whatever was before: `none` also when the person has switched the VPN off. */
export type TunnelNow = 'up' | 'lost' | 'none'

export function tunnelNow(epoch: Epoch | undefined): TunnelNow {
  if (epoch?.tunnelUp === true) return 'up'
  return epoch?.connected === true ? 'lost' : 'none'
}

/** `leaked`: how many questions count as leaked, where that is known. */
export function verdictWords(verdict: Verdict | undefined, leaked: number | undefined, now: TunnelNow): VerdictWords {
  if (verdict === undefined) {
    return { mood: 'plain', headline: 'No verdict yet', sentence: 'The daemon has just begun to watch.' }
  }
  switch (verdict.dns) {
    case 'ok':
      return okWords(verdict, now)
    case 'leak':
    case 'mixed':
      return {
        mood: 'bad',
        headline: verdict.dns === 'leak' ? 'DNS leaks: all that was asked' : 'DNS leaks: some questions',
        sentence: leakSentence(verdict, leaked),
      }
    case 'no-tunnel':
      return {
        mood: 'unsure',
        headline: 'No tunnel, no verdict',
        sentence: 'No tunnel for all traffic was up since the daemon began, so nothing that left can be called a leak.',
      }
    default:
      return {
        mood: 'unsure',
        headline: 'DNS verdict unknown',
        sentence: 'What was seen of a tunnel is not enough for a verdict.',
      }
  }
}

/** Green is for now, and for all of it: a tunnel that is gone, or coverage with holes, is said in the headline. */
function okWords({ coverage, complete }: Verdict, now: TunnelNow): VerdictWords {
  const { questionsInTunnel, questionsOutside } = coverage
  const sentence = insideSentence(questionsInTunnel, questionsOutside)
  if (now === 'lost') {
    return {
      mood: 'unsure',
      headline: 'The tunnel is lost; none seen leaking before',
      sentence: `What leaves now is judged when the tunnel is back, or has stayed away. ${sentence}`,
    }
  }
  if (now === 'none') {
    return {
      mood: 'unsure',
      headline: 'No tunnel now; none seen leaking while it was up',
      sentence,
    }
  }
  if (!complete) return { mood: 'unsure', headline: 'None seen leaking, but not all was seen', sentence }
  if (questionsInTunnel + questionsOutside === 0) return { mood: 'plain', headline: 'None seen yet', sentence }
  return { mood: 'good', headline: 'None seen leaking', sentence }
}

function insideSentence(inside: number, outside: number): string {
  if (inside + outside === 0) return 'No DNS question was seen yet while the tunnel was up.'
  const went = `${counted(inside, 'DNS question')} went through the tunnel`
  return outside === 0 ? `${went}.` : `${went}, ${countText(outside)} outside for a legitimate reason.`
}

function leakSentence({ coverage }: Verdict, leaked: number | undefined): string {
  const { questionsInTunnel, questionsOutside } = coverage
  const all = questionsInTunnel + questionsOutside
  if (leaked === undefined)
    return `${countText(questionsOutside)} of ${counted(all, 'DNS question')} left outside, leaked or expected.`
  return `${countText(leaked)} of ${counted(all, 'DNS question')} left outside the tunnel while it was up or wanted.`
}

export interface CoverageLine {
  readonly term: string
  readonly text: string
  readonly mood: Mood
}

/** The figures that the verdict rests on. `dropped`: the kernel's last word, which is newer than the verdict's. */
export function coverageLines({ coverage }: Verdict, dropped: number | undefined): CoverageLine[] {
  const { interfacesWatched, interfacesUp, connections, explainedConnections } = coverage
  const lost = dropped ?? coverage.dropped
  return [
    { term: 'Packets', text: countText(coverage.packets), mood: 'plain' },
    lost === undefined
      ? { term: 'Dropped', text: 'unknown', mood: 'unsure' }
      : { term: 'Dropped', text: countText(lost), mood: lost === 0 ? 'plain' : 'bad' },
    {
      term: 'Interfaces watched',
      text: `${interfacesWatched} of ${interfacesUp} up`,
      mood: interfacesWatched < interfacesUp ? 'unsure' : 'plain',
    },
    { term: 'DNS messages', text: countText(coverage.dnsMessages), mood: 'plain' },
    { term: 'Questions inside', text: countText(coverage.questionsInTunnel), mood: 'plain' },
    { term: 'Questions outside', text: countText(coverage.questionsOutside), mood: 'plain' },
    {
      term: 'Connections explained',
      text: connections === 0 ? 'none seen' : `${countText(explainedConnections)} of ${countText(connections)}`,
      mood: 'plain',
    },
  ]
}

export interface TunnelWords {
  readonly mood: Mood
  readonly state: string
  /** Pairs of term and text. */
  readonly lines: readonly (readonly [term: string, text: string])[]
}

export function tunnelWords(epoch: Epoch | undefined, timeText: (iso: string) => string): TunnelWords {
  if (epoch === undefined) return { mood: 'plain', state: 'Not known yet', lines: [] }
  const names = shown(epoch.tunnelInterfaces.join(', '), MAX_SHOWN_NAME_LEN)
  const lines: [string, string][] = []
  const add = (term: string, text: string | undefined) => {
    if (text !== undefined && text !== '') lines.push([term, shown(text, MAX_SHOWN_NAME_LEN)])
  }
  if (epoch.connected) {
    const unknown = epoch.tunnelUp ? 'not known yet' : undefined
    add('Server', epoch.endpoint ?? unknown)
    add('Transport', epoch.transport ?? unknown)
    add('MTU', epoch.tunnelMtu?.toString())
    add('IPv6 inside', epoch.ipv6InTunnel === undefined ? undefined : epoch.ipv6InTunnel ? 'yes' : 'no')
  }
  add('Leaves by', epoch.egressInterface)
  add('Asks', epoch.resolvers.slice(0, 4).join(', '))
  add('Since', `${timeText(epoch.start)} (epoch ${epoch.id})`)
  if (epoch.tunnelUp) return { mood: 'good', state: `Up: ${names}`, lines }
  if (epoch.connected) return { mood: 'bad', state: names === '' ? 'Lost' : `Lost: ${names}`, lines }
  return { mood: 'unsure', state: 'None', lines }
}

/** One phrase for a table: what the epoch's network was. */
export function epochState({ tunnelUp, connected, tunnelInterfaces }: Epoch): string {
  if (tunnelUp) return `tunnel up: ${shown(tunnelInterfaces.join(', '), MAX_SHOWN_NAME_LEN)}`
  return connected ? 'tunnel lost' : 'no tunnel'
}
