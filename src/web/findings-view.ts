// The list of findings: newest activity first, but nothing moves under the hand or the eye of somebody who is reading there.
import { byId, make, setChildren, setText } from './dom.ts'
import { type FindingFilter, type KnownFinding, MAX_HELD, SEVERITIES } from './finding-list.ts'
import { createFindingRow, type FindingRow } from './finding-row.ts'
import type { PageState } from './page-state.ts'
import { counted, countText, shown } from './words.ts'

/** Items in the document at first, and more with each press of the button. */
const STEP = 50

/** `changed`: the person did something, and the list is to be painted anew. */
export function createFindingsView(changed: () => void): (state: PageState, nowMillis: number) => void {
  const list = byId('finding-rows')
  const form = byId('filter') as HTMLFormElement
  const ids = form.elements.namedItem('id') as HTMLSelectElement
  const text = form.elements.namedItem('text') as HTMLInputElement
  const fresh = byId('fresh')
  const more = byId('more')
  const rows = new Map<string, FindingRow>()
  /** What stands in the document, in its order. */
  let order: string[] = []
  let most = STEP
  let isReordered = true

  form.addEventListener('submit', (event) => event.preventDefault())
  form.addEventListener('input', reorder)
  fresh.addEventListener('click', reorder)
  more.addEventListener('click', () => {
    most += STEP
    reorder()
  })
  // When the reader has gone, the list catches up.
  list.addEventListener('pointerleave', changed)
  list.addEventListener('focusout', changed)

  function reorder(): void {
    isReordered = true
    changed()
  }

  /** A person points at the list, or is in it with the keyboard. */
  function isBeingRead(): boolean {
    return list.matches(':hover') || list.contains(document.activeElement)
  }

  function filter(): FindingFilter {
    const severities = SEVERITIES.filter((one) => (form.elements.namedItem(one) as HTMLInputElement).checked)
    return {
      severities: new Set(severities),
      id: ids.value,
      words: text.value.toLowerCase().split(/\s+/).filter(Boolean),
    }
  }

  function paintIds(known: readonly [id: string, count: number][]): void {
    const wanted = known.map(([id, count]) => `${shown(id)} (${countText(count)})`)
    const options = [...ids.options].slice(1)
    if (wanted.join() === options.map((option) => option.textContent).join()) return
    const chosen = ids.value
    for (const option of options) option.remove()
    known.forEach(([id], index) => {
      const option = make('option', '', wanted[index]!)
      option.value = id
      ids.append(option)
    })
    ids.value = known.some(([id]) => id === chosen) ? chosen : ''
  }

  function paintRows(matching: readonly KnownFinding[], firstEpoch: number, nowMillis: number): void {
    const wanted = matching.slice(0, most)
    const isStill = !isReordered && order.length > 0 && isBeingRead()
    if (!isStill) order = wanted.map(({ identity }) => identity)
    isReordered = false
    const standing = new Set(order)
    const unseen = wanted.filter(({ identity }) => !standing.has(identity)).length
    fresh.hidden = unseen === 0
    setText(fresh, `Show ${counted(unseen, 'new finding')}`)
    for (const known of matching) {
      if (!standing.has(known.identity)) continue
      const row = rows.get(known.identity) ?? createFindingRow()
      rows.set(known.identity, row)
      row.paint(known, known.finding.epoch < firstEpoch, nowMillis)
    }
    for (const identity of rows.keys()) if (!standing.has(identity)) rows.delete(identity)
    setChildren(
      list,
      order.flatMap((identity) => rows.get(identity)?.element ?? []),
    )
  }

  return (state, nowMillis) => {
    const { findings } = state
    const counts = findings.counts(state.firstEpoch)
    for (const severity of SEVERITIES) setText(byId(`count-${severity}`), countText(counts[severity]))
    paintIds(findings.ids())
    const matching = findings.matching(filter())
    paintRows(matching, state.firstEpoch, nowMillis)
    more.hidden = matching.length <= most
    setText(byId('findings-below'), belowText(state, matching.length, Math.min(matching.length, most)))
  }
}

/** How many there are that are not in sight. */
function belowText({ findings, storedFindings, verdict }: PageState, matching: number, inSight: number): string {
  if (findings.size === 0) return verdict === undefined ? 'Nothing told yet.' : 'None yet.'
  const shownPart = `${countText(inSight)} of ${counted(findings.size, 'finding')} shown`
  const filtered = matching < findings.size ? `, ${countText(findings.size - matching)} filtered out` : ''
  const elsewhere = storedFindings - findings.size
  const kept =
    elsewhere > 0
      ? `. The daemon keeps ${countText(elsewhere)} older ones (tunnelscope findings); this page holds the last ${MAX_HELD} of each severity`
      : ''
  return `${shownPart}${filtered}${kept}.`
}
