// The routes and their answers. Whatever is refused is refused in one generic line that says nothing about what is inside.
import { z } from 'zod'
import type { FindingQuery } from '../store/reader.ts'
import { filterSchema, severitySchema } from './messages.ts'
import { metricsText } from './metrics.ts'
import type { ServiceState } from './service-state.ts'
import { MAX_FRAME_MESSAGES, type Stream, type StreamOptions } from './stream.ts'
import { messageText, storeFilter } from './stream-frames.ts'

export interface Answer {
  readonly status: number
  readonly contentType: string
  readonly body: string
  /** The method that would have been right; GET where it is not said. */
  readonly allow?: string
}

/** Findings one answer holds at most, and when nothing is said. */
const MAX_FINDINGS = 1000
const DEFAULT_FINDINGS = 200
/** Site observations one answer holds at most: a megabyte or two. */
const MAX_SITES = 1000
/** Resolvers one answer holds at most. */
const MAX_RESOLVERS = 1000
/** Epochs one answer holds. */
const MAX_EPOCHS = 500
/** Rows of the tables of exchanges and of minutes that one answer holds at most, and when nothing is said. */
const MAX_ROWS = 10_000
const DEFAULT_ROWS = 1000

const REFUSALS: Readonly<Record<number, string>> = Object.freeze({
  400: 'bad request',
  401: 'a token is needed',
  403: 'not from there',
  404: 'not found',
  405: 'method not allowed',
  413: 'too large',
  421: 'wrong host',
  429: 'too many requests',
  500: 'internal error',
  503: 'too many clients',
})

export function refusal(status: number, allow?: string): Answer {
  const answer = json(`{"error":"${REFUSALS[status] ?? 'refused'}"}`, status)
  return allow === undefined ? answer : { ...answer, allow }
}

const number = z.coerce.number().int().min(0).max(Number.MAX_SAFE_INTEGER)
/** ISO 8601 in, microseconds since 1970 out. */
const timeMicros = z
  .union([z.iso.datetime({ offset: true }), z.iso.date()])
  .transform((text) => Date.parse(text) * 1000)

/** By number or time. */
const order = z.enum(['oldest', 'newest']).default('oldest')

const filterQuery = z.strictObject({
  severity: severitySchema.optional(),
  id: z.array(z.string()).optional(),
  interface: z.array(z.string()).optional(),
  site: z.string().optional(),
})
const findingsQuery = filterQuery.extend({
  epoch: number.optional(),
  since: timeMicros.optional(),
  until: timeMicros.optional(),
  after: number.optional(),
  upTo: number.optional(),
  order,
  limit: number.min(1).max(MAX_FINDINGS).default(DEFAULT_FINDINGS),
})
const streamQuery = filterQuery.extend({
  after: number.optional(),
  batch: number.min(1).max(MAX_FRAME_MESSAGES).default(1),
})
const rowLimit = number.min(1).max(MAX_ROWS).default(DEFAULT_ROWS)
const dnsQuery = z.strictObject({
  epoch: number.optional(),
  server: z.string().optional(),
  name: z.string().toLowerCase().optional(),
  limit: rowLimit,
})
const leaksQuery = z.strictObject({ limit: rowLimit })
const statisticsQuery = z.strictObject({ limit: rowLimit })
const resolversQuery = z.strictObject({
  epoch: number.optional(),
  limit: number.min(1).max(MAX_RESOLVERS).default(MAX_RESOLVERS),
})
const sinceQuery = z.strictObject({ since: timeMicros.default(0) })
const sitesQuery = z.strictObject({
  epoch: number.optional(),
  site: z.string().max(255).toLowerCase().optional(),
  /** `EPOCH,HOST` of the last one of the answer before. */
  after: z
    .string()
    .regex(/^\d{1,15},/)
    .transform((text) => {
      const comma = text.indexOf(',')
      return { epoch: Number(text.slice(0, comma)), host: text.slice(comma + 1) }
    })
    .optional(),
  /** `newest`: seen last first; there is no going on after that. */
  order,
  limit: number.min(1).max(MAX_SITES).default(MAX_SITES),
})
const noQuery = z.strictObject({})

type Route = (query: unknown, service: ServiceState, stream: Stream) => Answer

/** Path to handler; a handler throws a ZodError for a query it does not understand. */
const ROUTES: Readonly<Record<string, Route>> = Object.freeze({
  // Where the page is served, its files come first.
  '/': () => ({
    status: 404,
    contentType: 'text/plain; charset=utf-8',
    body: 'The dashboard is on the loopback address, when api.listen names one: run "tunnelscope dashboard".\n',
  }),
  '/metrics': (query, service, stream) => {
    noQuery.parse(query)
    return { status: 200, contentType: 'text/plain; version=0.0.4; charset=utf-8', body: metricsText(service, stream) }
  },
  '/api/v1/status': (query, service, stream) => {
    noQuery.parse(query)
    return json({
      version: service.version,
      started: service.started,
      seq: service.lastSeq(),
      epoch: service.epoch()?.id ?? null,
      firstEpoch: service.firstEpoch(),
      findings: service.reader().countFindings({}),
      verdict: service.verdict() ?? null,
      stats: service.stats() ?? null,
      store: service.store(),
      stream: stream.counters(),
    })
  },
  '/api/v1/verdict': (query, service) => {
    noQuery.parse(query)
    return json({
      seq: service.lastSeq(),
      firstEpoch: service.firstEpoch(),
      verdict: service.verdict() ?? null,
    })
  },
  '/api/v1/epochs': (query, service) => {
    noQuery.parse(query)
    return json(`{"seq":${service.lastSeq()},"epochs":[${service.reader().epochs(MAX_EPOCHS).join(',')}]}`)
  },
  '/api/v1/findings': (query, service) => findings(findingsQuery.parse(query), service),
  '/api/v1/leaks': (query, service) => {
    const { limit } = leaksQuery.parse(query)
    const { leaks, forgotten } = service.leaks(limit + 1)
    return json({ seq: service.lastSeq(), leaks: leaks.slice(0, limit), more: leaks.length > limit, forgotten })
  },
  '/api/v1/resolvers': (query, service) => {
    const { epoch, limit } = resolversQuery.parse(query)
    return json({ seq: service.lastSeq(), resolvers: service.reader().resolvers(epoch, limit) })
  },
  '/api/v1/dns': (query, service) => {
    return json({ seq: service.lastSeq(), exchanges: service.reader().exchanges(dnsQuery.parse(query)) })
  },
  '/api/v1/statistics': (query, service) => {
    const { limit } = statisticsQuery.parse(query)
    return json({ seq: service.lastSeq(), minutes: service.reader().statistics(limit) })
  },
  '/api/v1/sites': (query, service) => {
    const { limit, order, ...asked } = sitesQuery.parse(query)
    if (order === 'newest' && asked.after !== undefined) return refusal(400)
    const bodies = service.reader().sites({ ...asked, newestFirst: order === 'newest', limit: limit + 1 })
    const more = bodies.length > limit
    return json(`{"seq":${service.lastSeq()},"sites":[${bodies.slice(0, limit).join(',')}],"more":${more}}`)
  },
  '/api/v1/leak-service': (query, service) => {
    const { since } = sinceQuery.parse(query)
    return json({ seq: service.lastSeq(), leakService: service.reader().leakService(since) })
  },
  '/api/v1/interfaces': (query, service) => {
    noQuery.parse(query)
    return json({ seq: service.lastSeq(), interfaces: service.interfaces() })
  },
})

export const STREAM_PATH = '/api/v1/stream'
/** POST: a one-time code for a session. */
export const SESSION_PATH = '/api/v1/session'
/** POST: a URL with a new one-time code. */
export const BROWSER_URL_PATH = '/api/v1/browser-url'

/** Answers a GET; `url` is the request line's, path and query. */
export function answerGet(url: string, service: ServiceState, stream: Stream): Answer {
  const { path, query } = splitUrl(url)
  const route = Object.hasOwn(ROUTES, path) ? ROUTES[path] : undefined
  if (route === undefined) return refusal(404)
  if (query === undefined) return refusal(400)
  try {
    return route(query, service, stream)
  } catch (error) {
    if (error instanceof z.ZodError) return refusal(400)
    throw error
  }
}

/** What a stream's URL asks for; undefined when it is not understood. */
export function streamOptions(url: string): StreamOptions | undefined {
  const parsed = streamQuery.safeParse(splitUrl(url).query)
  if (!parsed.success) return undefined
  const { after, batch, ...fields } = parsed.data
  const filter = filterSchema.safeParse(fields)
  return filter.success ? { filter: filter.data, after, batch } : undefined
}

/** The path as it stands (nothing is decoded or joined), and the query's fields; no fields when one comes twice that may not. */
export function splitUrl(url: string): { path: string; query: Record<string, unknown> | undefined } {
  const mark = url.indexOf('?')
  const path = mark < 0 ? url : url.slice(0, mark)
  const query: Record<string, unknown> = {}
  for (const [name, value] of new URLSearchParams(mark < 0 ? '' : url.slice(mark + 1))) {
    if (name === 'id' || name === 'interface') {
      const list = (query[name] as string[] | undefined) ?? []
      list.push(...value.split(','))
      query[name] = list
    } else if (Object.hasOwn(query, name)) return { path, query: undefined }
    else query[name] = value
  }
  return { path, query }
}

function findings(query: z.infer<typeof findingsQuery>, service: ServiceState): Answer {
  const { epoch, since, until, after, upTo, order, limit, ...fields } = query
  const seq = service.lastSeq()
  const asked: FindingQuery = {
    ...storeFilter(filterSchema.parse(fields)),
    epoch,
    sinceMicros: since,
    untilMicros: until,
    after,
    upTo: Math.min(upTo ?? seq, seq),
    newestFirst: order === 'newest',
    limit: limit + 1,
  }
  const rows = service.reader().findings(asked)
  const more = rows.length > limit
  const items = rows.slice(0, limit).map(messageText)
  return json(`{"seq":${seq},"findings":[${items.join(',')}],"more":${more}}`)
}

/** An answer in JSON; a string is JSON already. */
export function json(value: unknown, status = 200): Answer {
  const body = typeof value === 'string' ? value : JSON.stringify(value)
  return { status, contentType: 'application/json; charset=utf-8', body: `${body}\n` }
}
