// What passes between the service and its clients, as zod schemas: the stream's messages in both directions and the
// answers of the routes. Published as docs/messages.schema.json; a field once released is never renamed or dropped,
// and a client ignores fields it does not know.
import { z } from 'zod'

/** Grows with every addition to a message. */
export const MESSAGE_SCHEMA = 2

/** ISO 8601, UTC, up to microseconds. */
const time = z.string().max(40)
const count = z.number().int().min(0)
const seq = z.number().int().min(0).max(Number.MAX_SAFE_INTEGER)

export const severitySchema = z.enum(['critical', 'warning', 'info'])

export const findingSchema = z.looseObject({
  id: z.string(),
  severity: severitySchema,
  confidence: z.enum(['proven', 'strong', 'probable', 'weak']),
  basis: z.string(),
  key: z.string(),
  epoch: count,
  time,
  last: time,
  count,
  interface: z.string().optional(),
  process: z.looseObject({ pid: count, name: z.string(), uid: count.optional() }).optional(),
  cause: z.string().optional(),
  summary: z.string(),
  advice: z.string(),
  data: z.record(z.string(), z.unknown()),
  evidence: z.array(z.looseObject({ source: z.string(), frame: count })),
  filter: z.string().optional(),
})

const dnsVerdictSchema = z.enum(['ok', 'leak', 'mixed', 'no-tunnel', 'unknown'])

export const verdictSchema = z.looseObject({
  dns: dnsVerdictSchema,
  complete: z.boolean(),
  reasons: z.array(z.string()),
  coverage: z.looseObject({
    packets: count,
    dropped: count.optional(),
    interfacesWatched: count,
    interfacesUp: count,
    dnsMessages: count,
    questionsOutside: count,
    questionsInTunnel: count,
    connections: count,
    explainedConnections: count,
  }),
})

export const epochSchema = z.looseObject({
  id: count,
  start: time,
  end: time.optional(),
  reason: z.string(),
  tunnelUp: z.boolean(),
  connected: z.boolean(),
  tunnelInterfaces: z.array(z.string()),
  egressInterface: z.string().optional(),
  endpoint: z.string().optional(),
  transport: z.string().optional(),
  resolvers: z.array(z.string()),
  ipv6InTunnel: z.boolean().optional(),
  tunnelMtu: count.optional(),
  verdict: z.looseObject({ dns: dnsVerdictSchema, questionsOutside: count, questionsInTunnel: count, leaked: count }),
})

export const statsSchema = z.looseObject({
  time,
  packets: count,
  packetsPerSecond: z.number().min(0),
  bytesPerSecond: z.number().min(0),
  dropped: count,
  tunnel: z.enum(['up', 'down', 'none']),
  resolver: z.string().optional(),
})

/** How the store does: paused with its reason, records waiting for it, and records it could not take. */
export const storeStateSchema = z.looseObject({
  paused: z.boolean(),
  reason: z.string().optional(),
  waiting: count,
  lost: count,
})

/** The first message: the present state. `seq` is the last number given; `missed` counts what a resume will bring. */
export const helloSchema = z.looseObject({
  type: z.literal('hello'),
  seq,
  schema: count,
  version: z.string(),
  /** Another id than before means other numbers: the old store was set aside. */
  store: z.string(),
  /** When the service started. */
  started: time,
  epoch: epochSchema.nullable(),
  verdict: verdictSchema.nullable(),
  stats: statsSchema.nullable(),
  missed: count,
  /** The epoch with which the verdict begins: those before it are of earlier runs. Absent before schema 2. */
  firstEpoch: count.optional(),
})

/** A finding as it now stands; the same (epoch, id, key) comes again, with a new `seq`, when it changed. */
export const findingMessageSchema = z.looseObject({
  type: z.literal('finding'),
  seq,
  /** For `export --finding N`; stays the same while the finding is counted. */
  number: count,
  finding: findingSchema,
})

export const verdictMessageSchema = z.looseObject({ type: z.literal('verdict'), seq, verdict: verdictSchema })
export const epochMessageSchema = z.looseObject({ type: z.literal('epoch'), seq, epoch: epochSchema })

/** Not stored and not numbered: `seq` is the last number given. */
export const statsMessageSchema = z.looseObject({
  type: z.literal('stats'),
  seq,
  stats: statsSchema,
  store: storeStateSchema,
})

/**
 * Messages numbered from … to were not sent. `slow`: this client did not read fast enough, `count` is how many passed
 * its filter; they are in the store. `retention`: findings in the range were forgotten, `count` is null.
 */
export const gapMessageSchema = z.looseObject({
  type: z.literal('gap'),
  seq,
  from: seq,
  to: seq,
  count: count.nullable(),
  reason: z.enum(['slow', 'retention']),
})

export const serverMessageSchema = z.discriminatedUnion('type', [
  helloSchema,
  findingMessageSchema,
  verdictMessageSchema,
  epochMessageSchema,
  statsMessageSchema,
  gapMessageSchema,
])

const filterFields = {
  /** This severe or more. */
  severity: severitySchema.optional(),
  /** Finding ids. */
  id: z.array(z.string().max(64)).max(64).optional(),
  interface: z.array(z.string().max(64)).max(64).optional(),
  /** A host name: itself and the names below it. */
  site: z.string().max(255).toLowerCase().optional(),
}

export const filterSchema = z.strictObject(filterFields)

/** Sends everything after number `after` that this connection has not been sent, then goes on live. */
export const resumeMessageSchema = z.strictObject({ type: z.literal('resume'), after: seq })

/** Replaces the connection's filter from here on; absent fields mean all. */
export const filterMessageSchema = z.strictObject({ type: z.literal('filter'), ...filterFields })

export const clientMessageSchema = z.discriminatedUnion('type', [resumeMessageSchema, filterMessageSchema])

/** `GET /api/v1/findings`: ascending by seq; `more` says that the limit cut it, then ask again after the last seq. */
export const findingsAnswerSchema = z.looseObject({
  /** Last number given when this was read: a stream resumed after it continues this list. */
  seq,
  findings: z.array(z.looseObject({ seq, number: count, finding: findingSchema })),
  more: z.boolean(),
})

export type HelloMessage = z.infer<typeof helloSchema>
export type FindingMessage = z.infer<typeof findingMessageSchema>
export type GapMessage = z.infer<typeof gapMessageSchema>
export type ServerMessage = z.infer<typeof serverMessageSchema>
export type ClientMessage = z.infer<typeof clientMessageSchema>
export type MessageFilter = z.infer<typeof filterSchema>
export type FindingsAnswer = z.infer<typeof findingsAnswerSchema>

/** The JSON schema that is published, made from the above. */
export function messageJsonSchema(): Record<string, unknown> {
  const published = {
    ServerMessage: serverMessageSchema,
    ClientMessage: clientMessageSchema,
    FindingsAnswer: findingsAnswerSchema,
  }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'tunnelscope messages',
    version: MESSAGE_SCHEMA,
    $defs: Object.fromEntries(
      Object.entries(published).map(([name, schema]) => [name, z.toJSONSchema(schema, { io: 'input' })]),
    ),
  }
}
