// Names shouted on the LAN over mDNS, LLMNR and NBNS (rules.md R9, R10): what belongs there, and what the LAN must not hear.
import type { ExchangeView } from '../trackers/exchange-view.ts'
import type { JudgementContext } from './context.ts'
import { isSingleLabel, isUnder, LAN_SUFFIXES, LOCAL_ZONES, reversePrefix } from './special-names.ts'

/** A single name that was asked inside so shortly before was given up there and is now shouted (rules.md R10). */
const ASKED_INSIDE_MICROS = 10_000_000
const LAN_ONLY_SUFFIXES: readonly string[] = Object.freeze([...LAN_SUFFIXES, ...LOCAL_ZONES.map(([zone]) => zone)])

/** Why the LAN should not hear it, or '' when the name belongs there. */
export function exposureCause(view: ExchangeView, context: JudgementContext): '' | 'public-name' | 'asked-inside' {
  // The last byte of a NetBIOS name, `<20>`, says which service is meant.
  const name = view.name.toLowerCase().replace(/<[0-9a-f]{2}>/, '')
  if (name === '' || reversePrefix(name) !== undefined) return ''
  if (view.protocol === 'mdns') return isUnder(name, 'local') ? '' : 'public-name'
  if (isSingleLabel(name)) {
    const sinceMicros = view.queryMicros - context.labelInsideMicros(name)
    return sinceMicros >= 0 && sinceMicros < ASKED_INSIDE_MICROS ? 'asked-inside' : ''
  }
  return LAN_ONLY_SUFFIXES.some((suffix) => isUnder(name, suffix)) ? '' : 'public-name'
}
