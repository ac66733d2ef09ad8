// The tables' rows: what the service tells, as cells of text. Everything from the wire is made harmless here.
import type { ReportInterface, ReportLeak, ReportResolver } from '../model/report.ts'
import type { Epoch } from './told.ts'
import { countText, epochState, MAX_SHOWN_NAME_LEN, type Mood, nameText, shown } from './words.ts'

export interface Cell {
  readonly text: string
  readonly mood?: Mood
  /**
   * `code`: a name or an address; `name`: one that is short. `word`: one or two of ours. `prose`: a sentence. Numbers, names
   * and words stay on one line.
   */
  readonly kind?: 'code' | 'name' | 'number' | 'word' | 'prose'
}

export interface Row {
  /** The same thing keeps it. */
  readonly key: string
  readonly cells: readonly Cell[]
}

export interface Table {
  readonly heads: readonly string[]
  readonly rows: readonly Row[]
  /** Rows there are beyond these. */
  readonly left: number
}

/** Rows of a table on the page; how many more there are is said below it. */
export const MAX_LEAK_ROWS = 100
const MAX_RESOLVER_ROWS = 40
const MAX_EPOCH_ROWS = 25

/** Some answers are still on their way; a smaller share than this is worth a look. */
const FEW_ANSWERS = 0.9

/** Interfaces and types of the DNS have shorter names. */
const MAX_SHORT_NAME_LEN = 40

type TimeText = (iso: string) => string

export function leakRow(leak: ReportLeak, timeText: TimeText): Row {
  const { name, type, server, port, transport, cause, epoch, process } = leak
  return {
    key: JSON.stringify([name, type, server, port, transport, leak.interface, cause, epoch]),
    cells: [
      { text: nameText(name), kind: 'code' },
      { text: timeText(leak.last), kind: 'word' },
      { text: `${transport} to ${serverText(server, port)}`, kind: 'code' },
      nameCell(type ?? ''),
      nameCell(leak.interface),
      { text: shown(cause, MAX_SHOWN_NAME_LEN) },
      number(leak.count),
      code(process === undefined ? '' : `${process.name}[${process.pid}]`),
    ],
  }
}

/** The column of who runs them is there when it is known of one. */
export function resolverTable(resolvers: readonly ReportResolver[]): Table {
  const isOwned = resolvers.some((one) => ownerText(one) !== '')
  return {
    heads: [
      'Resolver',
      'Where',
      'Interface',
      'Asked',
      'Answered',
      'p50 ms',
      'p95 ms',
      ...(isOwned ? ['Run by'] : []),
      'Epoch',
    ],
    rows: resolvers.slice(0, MAX_RESOLVER_ROWS).map((one) => resolverRow(one, isOwned)),
    left: Math.max(0, resolvers.length - MAX_RESOLVER_ROWS),
  }
}

function resolverRow(one: ReportResolver, isOwned: boolean): Row {
  const { server, port, transport, side, epoch, queries, answered } = one
  return {
    key: JSON.stringify([epoch, server, port, transport, one.interface, side]),
    cells: [
      { text: `${serverText(server, port)} ${transport}`, kind: 'code' },
      { text: side === 'tunnel' ? 'tunnel' : 'outside', mood: side === 'tunnel' ? 'good' : 'plain', kind: 'word' },
      nameCell(one.interface),
      number(queries),
      { text: countText(answered), kind: 'number', mood: answered < queries * FEW_ANSWERS ? 'unsure' : 'plain' },
      millis(one.p50Ms),
      millis(one.p95Ms),
      ...(isOwned ? [{ text: shown(ownerText(one), MAX_SHOWN_NAME_LEN) }] : []),
      number(epoch),
    ],
  }
}

/** `AS64500 Example Net, DE`, as far as it is known. */
function ownerText({ asn, organisation, country }: ReportResolver): string {
  const owner = [asn === undefined ? '' : `AS${asn}`, organisation ?? ''].filter((part) => part !== '').join(' ')
  return [owner, country ?? ''].filter((part) => part !== '').join(', ')
}

/** The column of drops is there when the capturing system counts them by interface. */
export function interfaceTable(interfaces: readonly ReportInterface[]): Omit<Table, 'left'> {
  const isCounted = interfaces.some(({ dropped }) => dropped !== undefined)
  return {
    heads: ['Interface', 'Role', 'MTU', 'Packets', ...(isCounted ? ['Dropped'] : []), 'Addresses', 'Because'],
    rows: interfaces.map((one) => interfaceRow(one, isCounted)),
  }
}

function interfaceRow(one: ReportInterface, isCounted: boolean): Row {
  const { name, role, mtu, packets, dropped, addresses, reasons } = one
  const mood = role === 'tunnel' ? 'good' : role === 'unknown' ? 'unsure' : 'plain'
  return {
    key: name,
    cells: [
      nameCell(name),
      { text: role, mood, kind: 'word' },
      { text: mtu === undefined ? '' : countText(mtu), kind: 'number' },
      number(packets),
      ...(isCounted ? [droppedCell(dropped)] : []),
      code(addresses.join(', ')),
      { text: shown(reasons.join('; ')), kind: 'prose' },
    ],
  }
}

function droppedCell(dropped: number | undefined): Cell {
  if (dropped === undefined) return { text: '–', kind: 'number' }
  return { text: countText(dropped), kind: 'number', mood: dropped > 0 ? 'bad' : 'plain' }
}

/** The latest first. */
export function epochTable(epochs: readonly Epoch[], timeText: TimeText): Omit<Table, 'heads'> {
  const rows = epochs.slice(-MAX_EPOCH_ROWS).reverse()
  return { rows: rows.map((epoch) => epochRow(epoch, timeText)), left: epochs.length - rows.length }
}

function epochRow(epoch: Epoch, timeText: TimeText): Row {
  const { verdict, endpoint, transport, tunnelMtu, connected } = epoch
  const parts = [transport, endpoint, tunnelMtu === undefined ? undefined : `MTU ${tunnelMtu}`]
  return {
    key: `${epoch.id}`,
    cells: [
      number(epoch.id),
      { text: timeText(epoch.start), kind: 'word' },
      { text: epochState(epoch), mood: epoch.tunnelUp ? 'good' : connected ? 'bad' : 'plain' },
      { text: shown(parts.filter((part) => part !== undefined).join(', '), MAX_SHOWN_NAME_LEN) },
      number(verdict.questionsInTunnel),
      { text: countText(verdict.leaked), kind: 'number', mood: verdict.leaked > 0 ? 'bad' : 'plain' },
      { text: shown(epoch.reason), kind: 'prose' },
    ],
  }
}

function serverText(server: string, port: number): string {
  const address = shown(server, MAX_SHOWN_NAME_LEN)
  return port === 53 ? address : `${address} port ${port}`
}

function nameCell(text: string): Cell {
  return { text: shown(text, MAX_SHORT_NAME_LEN), kind: 'name' }
}

function code(text: string): Cell {
  return { text: shown(text, MAX_SHOWN_NAME_LEN), kind: 'code' }
}

function number(count: number): Cell {
  return { text: countText(count), kind: 'number' }
}

function millis(value: number | undefined): Cell {
  return { text: value === undefined ? '–' : value.toFixed(1), kind: 'number' }
}
