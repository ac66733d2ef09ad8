// What the service tells the page, as types.
import type { ServerMessage } from '../api/messages.ts'
import type { ReportInterface, ReportLeak, ReportResolver } from '../model/report.ts'
import type { SiteObservation } from '../model/site.ts'

export type Epoch = Extract<ServerMessage, { type: 'epoch' }>['epoch']
export type Verdict = Extract<ServerMessage, { type: 'verdict' }>['verdict']
export type Stats = Extract<ServerMessage, { type: 'stats' }>['stats']
export type StoreState = Extract<ServerMessage, { type: 'stats' }>['store']

/** What is asked for again and again, because the stream does not carry it. */
export interface Tables {
  readonly leaks: readonly ReportLeak[]
  /** There are more of them, and so many older ones are not kept. */
  readonly moreLeaks: boolean
  readonly forgottenLeaks: number
  readonly resolvers: readonly ReportResolver[]
  readonly sites: readonly SiteObservation[]
  readonly interfaces: readonly ReportInterface[]
}
