// The tables: what left outside, who was asked, sites, interfaces, network contexts; each with a word on what it does not show.
import { byId, createTable, setText } from './dom.ts'
import type { PageState } from './page-state.ts'
import { epochTable, interfaceTable, leakRow, MAX_LEAK_ROWS, resolverTable, type Table } from './rows.ts'
import { siteTable } from './site-table.ts'
import { whenText } from './times.ts'
import type { Tables } from './told.ts'
import { countText } from './words.ts'

export function createTablesView(): (state: PageState, nowMillis: number) => void {
  const setLeaks = createTable(byId('leaks'))
  const setResolvers = createTable(byId('resolvers'))
  const setSites = createTable(byId('sites'))
  const setInterfaces = createTable(byId('interfaces'))
  const setEpochs = createTable(byId('epochs'))
  let painted: Tables | undefined

  function paintLeaks({ leaks, moreLeaks, forgottenLeaks }: Tables, state: PageState, nowMillis: number): void {
    setLeaks(leaks.slice(0, MAX_LEAK_ROWS).map((leak) => leakRow(leak, (iso) => whenText(iso, nowMillis))))
    const left = moreLeaks ? 'More are in the list of GET /api/v1/leaks.' : ''
    const gone = forgottenLeaks > 0 ? ` ${countText(forgottenLeaks)} older ones are in the findings only.` : ''
    const dns = state.verdict?.dns
    const none =
      dns === 'no-tunnel' || dns === 'unknown' || dns === undefined
        ? 'None seen; without a tunnel nothing counts as left outside.'
        : 'None seen.'
    setText(byId('leaks-below'), leaks.length === 0 ? none : `${left}${gone}`)
  }

  return (state, nowMillis) => {
    const epochs = epochTable(state.epochs(), (iso) => whenText(iso, nowMillis))
    setEpochs(epochs.rows)
    setText(byId('epochs-below'), belowText(epochs, 'None told yet.', 'GET /api/v1/epochs'))
    const { tables } = state
    if (tables === undefined || tables === painted) return
    painted = tables
    paintLeaks(tables, state, nowMillis)
    const { interfaces } = tables
    const resolvers = resolverTable(tables.resolvers)
    setResolvers(resolvers.rows, resolvers.heads)
    setText(byId('resolvers-below'), belowText(resolvers, 'Nobody was asked yet.', 'GET /api/v1/resolvers'))
    const sites = siteTable(tables.sites, (epoch) => epochHead(state, epoch))
    setSites(sites.rows, sites.heads)
    setText(byId('sites-below'), belowText(sites, 'No site was visited yet.', 'GET /api/v1/sites'))
    const { rows, heads } = interfaceTable(interfaces)
    setInterfaces(rows, heads)
    setText(byId('interfaces-below'), interfaces.length === 0 ? 'None seen yet.' : '')
  }
}

function epochHead(state: PageState, epoch: number): string {
  const known = state.epochs().find(({ id }) => id === epoch)
  const words = known === undefined ? '' : known.tunnelUp ? ', tunnel' : known.connected ? ', lost' : ', no tunnel'
  return `Epoch ${epoch}${words}`
}

function belowText({ rows, left }: Omit<Table, 'heads'>, none: string, where: string): string {
  if (rows.length === 0) return none
  return left > 0 ? `${countText(left)} more are not shown (${where}).` : ''
}
