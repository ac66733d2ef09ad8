// The first five seconds: the verdict, the tunnel, what both rest on, and whether the page is still told anything.
import { byId, make, setChildren, setData, setLines, setText } from './dom.ts'
import type { PageState } from './page-state.ts'
import { clockText, whenText } from './times.ts'
import { countText, coverageLines, shown, tunnelNow, tunnelWords, verdictWords } from './words.ts'

const CONNECTION_TITLES = Object.freeze({ starting: 'Connecting', lost: 'Not connected', 'signed-out': 'Signed out' })

/** How long a word about a connection that is back stands there. */
const NOTICE_MILLIS = 20_000

/** Paints what the state says; `nowMillis` is the browser's clock. */
export function createOverviewView(): (state: PageState, nowMillis: number) => void {
  const connection = byId('connection')
  const notice = byId('notice')

  function paintConnection(state: PageState, nowMillis: number): void {
    const lostAt = clockText(state.lostAtMillis)
    const words = {
      starting: 'Connecting…',
      live: 'Live',
      lost: `Not connected since ${lostAt}`,
      'signed-out': 'Signed out',
    }
    setText(connection, words[state.connection])
    setData(connection, 'state', state.connection)
    document.body.classList.toggle('stale', state.connection === 'lost')
    const text = noticeText(state, lostAt, nowMillis)
    notice.hidden = text === ''
    setText(notice, text)
    setData(notice, 'mood', state.connection === 'lost' ? 'bad' : state.store?.paused === true ? 'unsure' : 'plain')
  }

  function paintVerdict(state: PageState, nowMillis: number): void {
    const { verdict } = state
    const words = verdictWords(verdict, state.leaked(), tunnelNow(state.epoch()))
    const last = words.mood === 'bad' ? state.tables?.leaks[0]?.last : undefined
    setData(byId('verdict'), 'mood', words.mood)
    setText(byId('verdict-headline'), words.headline)
    setText(byId('verdict-sentence'), words.sentence)
    const complete = byId('complete')
    setText(
      complete,
      verdict === undefined ? 'Nothing seen yet' : verdict.complete ? 'Coverage complete' : 'Coverage not complete',
    )
    setData(complete, 'mood', verdict === undefined ? 'plain' : verdict.complete ? 'good' : 'unsure')
    setText(byId('span'), state.started === '' ? '' : `since ${whenText(state.started, nowMillis)}`)
    setText(byId('last-leak'), last === undefined ? '' : `last leak ${whenText(last, nowMillis)}`)
    const reasons = byId('reasons')
    const texts = (verdict?.reasons ?? []).map((reason) => shown(reason))
    if (texts.join('\n') !== [...reasons.children].map((item) => item.textContent).join('\n')) {
      setChildren(
        reasons,
        texts.map((text) => make('li', '', text)),
      )
    }
    setText(byId('version'), state.version)
    const title = state.connection === 'live' ? words.headline : CONNECTION_TITLES[state.connection]
    if (document.title !== `${title} · tunnelscope`) document.title = `${title} · tunnelscope`
  }

  function paintTunnel(state: PageState, nowMillis: number): void {
    const words = tunnelWords(state.epoch(), (iso) => whenText(iso, nowMillis))
    const element = byId('tunnel-state')
    setText(element, words.state)
    setData(element, 'mood', words.mood)
    setLines(
      byId('tunnel-lines'),
      words.lines.map(([term, text]) => ({ term, text })),
    )
  }

  function paintCoverage({ verdict, stats, store }: PageState): void {
    if (verdict === undefined) return
    const lines = coverageLines(verdict, stats?.dropped)
    if (store !== undefined) {
      const text = store.paused ? 'paused' : store.lost > 0 ? `${countText(store.lost)} records lost` : 'all stored'
      lines.push({ term: 'Store', text, mood: store.paused || store.lost > 0 ? 'bad' : 'plain' })
    }
    setLines(byId('coverage-lines'), lines)
  }

  return (state, nowMillis) => {
    paintConnection(state, nowMillis)
    paintVerdict(state, nowMillis)
    paintTunnel(state, nowMillis)
    paintCoverage(state)
  }
}

function noticeText({ connection, store, notice }: PageState, lostAt: string, nowMillis: number): string {
  if (connection === 'lost') {
    return `The daemon has not answered since ${lostAt}. What stands here is from then; the page keeps asking.`
  }
  if (store?.paused !== true) return nowMillis - notice.atMillis < NOTICE_MILLIS ? notice.text : ''
  const reason = store.reason === undefined ? '' : ` (${shown(store.reason)})`
  return `The store cannot be written${reason}: ${countText(store.waiting)} records wait in memory, ${countText(store.lost)} are lost. Findings are shown when they are stored.`
}
