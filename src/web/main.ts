// The dashboard: signs in, loads what there is, follows the stream, asks for the tables, paints when something changed and
// somebody looks.
import type { FindingsAnswer } from '../api/messages.ts'
import { byId, setText } from './dom.ts'
import { titleOf } from './finding-list.ts'
import { createFindingsView } from './findings-view.ts'
import { createOverviewView } from './overview-view.ts'
import { createPageState, type PageKeeper, type Status } from './page-state.ts'
import { BROWSER, signIn } from './service.ts'
import { openStream, type PageStream, SignedOut } from './stream.ts'
import { createTablesView } from './tables-view.ts'
import type { Epoch, Tables } from './told.ts'
import { createTrafficView } from './traffic-view.ts'
import { tunnelNow, verdictWords } from './words.ts'

const PAINT_MILLIS = 200
const TABLES_MILLIS = 5_000
const RETRY_MILLIS = 2_000
/** Findings fetched at the start; of the graver ones as many again when these are not all. */
const LOADED = 300
/** A screen reader is not to be talked over. */
const SAY_MILLIS = 5_000

let keeper: PageKeeper = createPageState()
/** Which start it is: one that was overtaken by another ends. */
let starts = 0
let stream: PageStream | undefined
let paintTimer: number | undefined
let tablesTimer: number | undefined
let saidAt = Number.NEGATIVE_INFINITY
let headline = ''

const paintOverview = createOverviewView()
const paintTraffic = createTrafficView()
const paintTables = createTablesView()
const paintFindings = createFindingsView(changed)

function changed(): void {
  if (paintTimer !== undefined || document.hidden) return
  paintTimer = setTimeout(() => {
    paintTimer = undefined
    paint()
  }, PAINT_MILLIS)
}

function paint(): void {
  const { state } = keeper
  const now = Date.now()
  paintOverview(state, now)
  paintTraffic(state)
  paintTables(state, now)
  paintFindings(state, now)
  const words = verdictWords(state.verdict, undefined, tunnelNow(state.epoch()))
  if (words.headline !== headline) say(words.headline, true)
  headline = words.headline
}

/** Told to those who cannot see it change. */
function say(text: string, isUrgent = false): void {
  const now = performance.now()
  if (!isUrgent && now - saidAt < SAY_MILLIS) return
  saidAt = now
  setText(byId('said'), text)
}

/** Once everything is there, so that nothing moves when it comes. */
function showPage(): void {
  if (keeper.state.connection === 'signed-out') return
  paint()
  byId('gate').hidden = true
  byId('page').hidden = false
}

/** The page without a session says how to get one. */
function showGate(reason: string): void {
  stream?.close()
  clearTimeout(tablesTimer)
  keeper.signedOut()
  paint()
  byId('page').hidden = true
  byId('gate').hidden = false
  setText(byId('gate-reason'), reason)
}

async function start(): Promise<void> {
  const turn = ++starts
  stream?.close()
  clearTimeout(tablesTimer)
  const hadCode = location.hash.length > 1
  const isTaken = await signIn()
  try {
    const { loaded, after } = await load()
    if (turn !== starts) return
    keeper = loaded
    follow(after)
  } catch (error) {
    if (turn !== starts) return
    if (error instanceof SignedOut) {
      const spent = 'That address was used before, or is older than five minutes.'
      showGate(
        hadCode && !isTaken ? spent : 'What this machine asks is for you alone, so a browser has to show a key first.',
      )
    } else setTimeout(start, RETRY_MILLIS)
  }
}

/** What is there already, and the number after which the stream goes on. */
async function load(): Promise<{ loaded: PageKeeper; after: number }> {
  const loaded = createPageState()
  const newest = await findings('')
  const lists = newest.more ? [await findings('&severity=warning'), await findings('&severity=critical')] : []
  const { epochs } = (await BROWSER.ask('/api/v1/epochs')) as { epochs: Epoch[] }
  loaded.load(
    [newest, ...lists].flatMap((list) => list.findings),
    epochs,
  )
  return { loaded, after: newest.seq }
}

async function findings(filter: string): Promise<FindingsAnswer> {
  return (await BROWSER.ask(`/api/v1/findings?order=newest&limit=${LOADED}${filter}`)) as FindingsAnswer
}

function follow(after: number): void {
  stream = openStream(BROWSER, after, {
    connected(hello, back) {
      keeper.connected(hello, back, Date.now())
      void askTables().then(showPage)
    },
    message(message) {
      const found = keeper.message(message, Date.now())
      if (found?.severity === 'critical') say(`New critical finding: ${titleOf(found.id)}`)
      changed()
    },
    lost() {
      keeper.lost(Date.now())
      changed()
    },
    replaced: () => void start(),
    signedOut: () => showGate('The session of this browser has ended.'),
  })
}

/** The stream does not carry these. Nobody looks: nothing is asked. */
async function askTables(): Promise<void> {
  clearTimeout(tablesTimer)
  const asked = keeper
  try {
    if (!document.hidden && keeper.state.connection === 'live') {
      const status = (await BROWSER.ask('/api/v1/status')) as Status
      const tables = await readTables()
      if (asked !== keeper) return
      keeper.status(status)
      keeper.tables(tables)
      changed()
    }
  } catch (error) {
    if (error instanceof SignedOut) return showGate('The session of this browser has ended.')
    // Not there or too busy: the stream will tell.
  }
  clearTimeout(tablesTimer)
  tablesTimer = setTimeout(askTables, TABLES_MILLIS)
}

async function readTables(): Promise<Tables> {
  const [leaks, resolvers, sites, interfaces] = (await Promise.all([
    BROWSER.ask('/api/v1/leaks?limit=100'),
    BROWSER.ask('/api/v1/resolvers?limit=60'),
    BROWSER.ask('/api/v1/sites?order=newest&limit=300'),
    BROWSER.ask('/api/v1/interfaces'),
  ])) as [
    Pick<Tables, 'leaks'> & { more: boolean; forgotten: number },
    Pick<Tables, 'resolvers'>,
    Pick<Tables, 'sites'>,
    Pick<Tables, 'interfaces'>,
  ]
  return {
    leaks: leaks.leaks,
    moreLeaks: leaks.more,
    forgottenLeaks: leaks.forgotten,
    resolvers: resolvers.resolvers,
    sites: sites.sites,
    interfaces: interfaces.interfaces,
  }
}

document.addEventListener('visibilitychange', () => {
  if (document.hidden) return
  stream?.hurry()
  changed()
  void askTables()
})
addEventListener('online', () => stream?.hurry())
// A new address pasted into the same tab loads nothing anew.
addEventListener('hashchange', () => void start())

paint()
await start()
