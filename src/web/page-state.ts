// Everything that the page knows: what the service tells goes in, what the views show is read from it. All of it is bounded.
import type { FindingsAnswer, HelloMessage, ServerMessage } from '../api/messages.ts'
import { durationText } from '../text/duration.ts'
import { createFindingList, type Finding, type FindingList } from './finding-list.ts'
import { createSamples, type Samples } from './samples.ts'
import { clockText } from './times.ts'
import type { Epoch, Stats, StoreState, Tables, Verdict } from './told.ts'
import { counted } from './words.ts'

export type Connection = 'starting' | 'live' | 'lost' | 'signed-out'

export interface PageState {
  readonly connection: Connection
  /** When the connection was lost, by the browser's clock. */
  readonly lostAtMillis: number
  /** What the person should know of the connection's last change, and since when by the browser's clock. */
  readonly notice: { readonly text: string; readonly atMillis: number }
  readonly version: string
  /** When the daemon began to watch; ISO 8601. */
  readonly started: string
  /** The verdict begins with this epoch. */
  readonly firstEpoch: number
  readonly verdict: Verdict | undefined
  readonly stats: Stats | undefined
  readonly store: StoreState | undefined
  readonly findings: FindingList
  /** Findings that the daemon keeps. */
  readonly storedFindings: number
  readonly samples: Samples
  readonly tables: Tables | undefined
  /** The present one. */
  epoch(): Epoch | undefined
  /** Ascending. */
  epochs(): Epoch[]
  /** Questions that count as leaked; undefined when not all of the verdict's epochs are known. */
  leaked(): number | undefined
}

/** What `GET /api/v1/status` says, as far as the page uses it. */
export interface Status {
  readonly version: string
  readonly started: string
  readonly firstEpoch: number
  readonly findings: number
}

export interface PageKeeper {
  readonly state: PageState
  /** What there was before the stream: findings in any order, and the last epochs. */
  load(findings: readonly FindingsAnswer['findings'][number][], epochs: readonly Epoch[]): void
  /** `nowMillis`: the browser's clock. */
  connected(hello: HelloMessage, back: boolean, nowMillis: number): void
  /** The finding when it is a new one. */
  message(message: ServerMessage, nowMillis: number): Finding | undefined
  lost(nowMillis: number): void
  signedOut(): void
  status(status: Status): void
  tables(tables: Tables): void
}

/** As many as the service gives at once. */
const MAX_EPOCHS = 500

export function createPageState(): PageKeeper {
  const epochs = new Map<number, Epoch>()
  const samples = createSamples()
  /** Of epochs that were let go. */
  let leakedBefore = 0
  /** All epochs from firstEpoch on were told. */
  let isWhole = false

  const state = {
    connection: 'starting' as Connection,
    lostAtMillis: 0,
    notice: { text: '', atMillis: 0 },
    version: '',
    started: '',
    firstEpoch: 1,
    verdict: undefined as Verdict | undefined,
    stats: undefined as Stats | undefined,
    store: undefined as StoreState | undefined,
    findings: createFindingList(),
    storedFindings: 0,
    samples,
    tables: undefined as Tables | undefined,
    epoch: () => [...epochs.values()].at(-1),
    epochs: () => [...epochs.values()],
    leaked,
  } satisfies PageState

  function leaked(): number | undefined {
    if (!isWhole) return undefined
    let sum = leakedBefore
    for (const { id, verdict } of epochs.values()) if (id >= state.firstEpoch) sum += verdict.leaked
    // The verdict and its epochs are told one by one, and a clock that is set begins both anew.
    const { dns = 'unknown', coverage } = state.verdict ?? {}
    const isLeaking = dns === 'leak' || dns === 'mixed'
    return sum <= (coverage?.questionsOutside ?? 0) && sum > 0 === isLeaking ? sum : undefined
  }

  function addEpoch(epoch: Epoch): void {
    const isNew = !epochs.has(epoch.id)
    epochs.set(epoch.id, epoch)
    if (!isNew) return
    const ascending = [...epochs].sort(([left], [right]) => left - right)
    const surplus = ascending.splice(0, Math.max(0, ascending.length - MAX_EPOCHS))
    for (const [id, { verdict }] of surplus) if (id >= state.firstEpoch) leakedBefore += verdict.leaked
    epochs.clear()
    for (const [id, one] of ascending) epochs.set(id, one)
  }

  /** Another run than before, or an analysis begun anew: all of its epochs come by the stream. */
  function begin(firstEpoch: number): void {
    if (firstEpoch === state.firstEpoch) return
    state.firstEpoch = firstEpoch
    leakedBefore = 0
    isWhole = true
    samples.interrupt()
  }

  function addSample({ time, packetsPerSecond }: Stats): void {
    const { questionsInTunnel = 0, questionsOutside = 0 } = state.verdict?.coverage ?? {}
    const totals = { inside: questionsInTunnel, outside: questionsOutside, leaked: leaked() }
    samples.add(Date.parse(time), packetsPerSecond, totals)
  }

  return {
    state,
    load(findings, known) {
      for (const { seq, number, finding } of findings) state.findings.add(seq, number, finding)
      for (const epoch of known) addEpoch(epoch)
    },
    connected(hello, back, nowMillis) {
      const isRestarted = back && hello.started !== state.started
      const text = back ? backText(hello, nowMillis - state.lostAtMillis, isRestarted) : ''
      state.notice = { text, atMillis: nowMillis }
      state.connection = 'live'
      state.version = hello.version
      state.started = hello.started
      state.verdict = hello.verdict ?? undefined
      state.stats = hello.stats ?? undefined
      const firstEpoch = hello.firstEpoch ?? 1
      if (back) begin(firstEpoch)
      else {
        state.firstEpoch = firstEpoch
        const [oldest] = epochs.keys()
        isWhole = oldest === undefined || oldest <= firstEpoch
      }
      if (hello.epoch !== null) addEpoch(hello.epoch)
      samples.interrupt()
    },
    message(message, nowMillis) {
      switch (message.type) {
        case 'finding': {
          const isNew = state.findings.add(message.seq, message.number, message.finding)
          return isNew ? message.finding : undefined
        }
        case 'verdict':
          state.verdict = message.verdict
          break
        case 'epoch':
          addEpoch(message.epoch)
          break
        case 'stats':
          state.stats = message.stats
          state.store = message.store
          addSample(message.stats)
          break
        case 'gap':
          state.notice = { text: 'Some findings of the time away are no longer kept.', atMillis: nowMillis }
          break
      }
      return undefined
    },
    lost(nowMillis) {
      state.connection = 'lost'
      state.lostAtMillis = nowMillis
    },
    signedOut() {
      state.connection = 'signed-out'
    },
    status(status) {
      state.storedFindings = status.findings
      begin(status.firstEpoch)
    },
    tables(tables) {
      state.tables = tables
    },
  }
}

function backText(hello: HelloMessage, awayMillis: number, isRestarted: boolean): string {
  const away = durationText(Math.max(0, awayMillis) * 1000)
  const missed = `${counted(hello.missed, 'finding')} from meanwhile`
  if (!isRestarted) return `Connected again after ${away}; ${missed}.`
  const started = clockText(Date.parse(hello.started))
  return `The daemon is back after ${away} (started ${started}); ${missed}. Nothing was captured while it was gone.`
}
