// One finding as an item of the list: what, how bad, how often, what to do; evidence and filter open on demand.
import { make, setData, setLines, setText } from './dom.ts'
import { type Finding, type KnownFinding, titleOf } from './finding-list.ts'
import { whenText } from './times.ts'
import { counted, countText, MAX_SHOWN_NAME_LEN, shown } from './words.ts'

export interface FindingRow {
  readonly element: HTMLElement
  /** Paints it when it is another state than the one painted. `isEarlier`: of a run before the one that the verdict is of. */
  paint(known: KnownFinding, isEarlier: boolean, nowMillis: number): void
}

export function createFindingRow(): FindingRow {
  const severity = make('b', 'chip')
  const title = make('span', 'title')
  const id = make('code', 'id')
  const count = make('b', 'count')
  const time = make('time', 'soft')
  const summary = make('p', 'summary')
  const advice = make('p', 'advice')
  const lines = make('dl', 'lines')
  const filter = make('code', 'filter-text')
  const copy = make('button', '', 'Copy')
  copy.type = 'button'
  const filterLine = make('p', 'copy', filter, ' ', copy)
  const details = make('details', '', make('summary', '', 'Evidence and filter'), lines, filterLine)
  const head = make('header', '', severity, ' ', make('h3', '', title, ' ', id), ' ', count, ' ', time)
  const element = make('li', 'finding', make('article', '', head, summary, advice, details))
  let painted = ''

  copy.addEventListener('click', () => void copyText(filter.textContent ?? '', copy))

  return {
    element,
    paint(known, isEarlier, nowMillis) {
      const { finding, seq } = known
      // At midnight every time gets its date.
      const state = `${seq} ${isEarlier} ${new Date(nowMillis).toDateString()}`
      if (state === painted) return
      painted = state
      setData(element, 'severity', finding.severity)
      setText(severity, finding.severity)
      setText(title, shown(titleOf(finding.id)))
      setText(id, shown(finding.id))
      setText(count, finding.count > 1 ? `×${countText(finding.count)}` : '')
      setText(time, `${isEarlier ? 'earlier run, ' : ''}${whenText(finding.last, nowMillis)}`)
      setData(element, 'run', isEarlier ? 'earlier' : 'this')
      time.dateTime = finding.last
      setText(summary, shown(finding.summary))
      setText(advice, shown(finding.advice))
      setLines(lines, linesOf(known, nowMillis))
      filterLine.hidden = finding.filter === undefined
      // What is copied is what is seen: nothing in it can act on whoever pastes it.
      setText(filter, shown(finding.filter ?? '', Number.POSITIVE_INFINITY))
    },
  }
}

function linesOf({ finding, number }: KnownFinding, nowMillis: number): { term: string; text: string }[] {
  const { process } = finding
  const span =
    finding.count > 1
      ? `${counted(finding.count, 'time')}, ${whenText(finding.time, nowMillis)} to ${whenText(finding.last, nowMillis)}`
      : whenText(finding.time, nowMillis)
  const lines: [string, string | undefined][] = [
    ['Seen', span],
    ['Confidence', finding.confidence],
    ['Basis', finding.basis],
    ['Cause', finding.cause],
    ['Interface', finding.interface],
    ['Program', process === undefined ? undefined : `${process.name}[${process.pid}]`],
    ['Epoch', String(finding.epoch)],
    ['Names', namesOf(finding)],
    ['Evidence', evidenceText(finding)],
    ['Its packets', `tunnelscope export --finding ${number} -w finding-${number}.pcapng`],
  ]
  return lines.flatMap(([term, text]) => (text === undefined || text === '' ? [] : [{ term, text: shown(text) }]))
}

function namesOf({ data }: Finding): string {
  const names = Array.isArray(data.names) ? data.names.map((name) => shown(String(name), MAX_SHOWN_NAME_LEN)) : []
  const left = typeof data.nameCount === 'number' ? data.nameCount - names.length : 0
  return names.join(', ') + (left > 0 && names.length > 0 ? ` and ${countText(left)} more` : '')
}

/** `live frames 29, 31, …`: the files' names without their folders. */
function evidenceText({ evidence, count }: Finding): string {
  const frames = new Map<string, number[]>()
  for (const { source, frame } of evidence) {
    const name = source.slice(source.lastIndexOf('/') + 1)
    frames.set(name, [...(frames.get(name) ?? []), frame])
  }
  const texts = [...frames].map(([name, list]) => `${name} ${list.length > 1 ? 'frames' : 'frame'} ${list.join(', ')}`)
  return texts.join('; ') + (texts.length > 0 && count > evidence.length ? ', …' : '')
}

const COPIED_MILLIS = 1500

async function copyText(text: string, button: HTMLButtonElement): Promise<void> {
  try {
    await navigator.clipboard.writeText(text)
    setText(button, 'Copied')
  } catch {
    setText(button, 'Not allowed')
  }
  setTimeout(() => setText(button, 'Copy'), COPIED_MILLIS)
}
