// The chart's view: paths into the SVG, the figures of the last second into the legend.
import { chartOf } from './chart.ts'
import { byId, setText } from './dom.ts'
import type { PageState } from './page-state.ts'
import { SHOWN_SECONDS } from './samples.ts'
import { clockText } from './times.ts'
import { countText } from './words.ts'

export function createTrafficView(): (state: PageState) => void {
  let painted: unknown

  return (state) => {
    const samples = state.samples.all()
    const last = samples.at(-1)
    if (last === undefined || last === painted) return
    painted = last
    const chart = chartOf(samples, last.atMillis)
    const paths = {
      'packets-area': chart.area,
      'packets-line': chart.line,
      'bars-inside': chart.inside,
      'bars-leaked': chart.leaked,
      'bars-expected': chart.expected,
    }
    for (const [id, path] of Object.entries(paths)) byId(id).setAttribute('d', path)
    setText(byId('now-packets'), countText(last.packetsPerSecond))
    setText(byId('now-inside'), countText(last.inside))
    setText(byId('now-leaked'), countText(last.leaked))
    setText(byId('now-expected'), countText(last.expected))
    setText(byId('expected-words'), state.leaked() === undefined ? 'outside' : 'outside, expected')
    setText(byId('top-packets'), `scale to ${countText(chart.packetsTop)}`)
    setText(byId('top-questions'), `scale to ${countText(chart.questionsTop)}`)
    setText(byId('chart-from'), clockText(last.atMillis - SHOWN_SECONDS * 1000))
    setText(byId('chart-to'), clockText(last.atMillis))
    const { packetsPerSecond, inside, leaked, expected } = last
    byId('packets').setAttribute('aria-label', `Packets a second over the last five minutes, now ${packetsPerSecond}`)
    byId('questions').setAttribute(
      'aria-label',
      `DNS questions a second over the last five minutes, now ${inside} inside, ${leaked} leaked, ${expected} expected outside`,
    )
  }
}
