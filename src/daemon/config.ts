// The daemon's configuration: one TOML file, every key of which is in docs/configuration.md. What is wrong is one sentence
// with the file, the key and what to write instead; a key nobody knows is an error, for it would silently change nothing.
import { basename, dirname, join, resolve } from 'node:path'
import ipaddr from 'ipaddr.js'
import { parse, TomlError } from 'smol-toml'
import { z } from 'zod'
import { DEFAULT_EVIDENCE, DEFAULT_SOCKET, DEFAULT_STORE, DEFAULT_TOKEN, SERVICE_USER } from '../constants/paths.ts'
import { OperatorError } from '../model/operator-error.ts'
import { isHostOrAddress } from '../text/host-name.ts'
import { nearestWord } from '../text/nearest-word.ts'
import { systemErrorText } from '../text/system-error.ts'
import { readBounded } from './bounded-file.ts'

/** Larger than any file a person writes. */
const MAX_FILE_LEN = 1 << 20

/** Longer than any packet, and tcpdump's. */
export const MAX_SNAP_LEN = 262_144
/** The kernel's ring is asked for in 32 bits. */
export const MAX_RING_MIB = 4095

const path = z.string().refine((text) => text.startsWith('/'), 'give an absolute path')
const count = (least: number, most: number) => z.number().int().min(least).max(most)
/** IFNAMSIZ; other systems have longer ones. */
const MAX_NAME_LEN = process.platform === 'linux' ? 15 : 255
const names = z.array(z.string().min(1).max(MAX_NAME_LEN)).max(256)
const addresses = z
  .array(z.string().refine((text) => ipaddr.isValid(text), 'give an IP address such as 10.64.0.1'))
  .max(256)
const resolvers = z
  .array(z.string().refine(isHostOrAddress, 'give a host name such as dns.example.net or an IP address'))
  .max(256)
const endpoints = z.array(z.string().refine(isEndpoint, 'give an address, ADDRESS:PORT or [ADDRESS]:PORT')).max(256)

/** Every table with its keys and defaults. The order is that of docs/configuration.md. */
const schema = z.strictObject({
  user: z
    .string()
    .regex(/^[a-z_][a-z0-9_-]*$/)
    .default(SERVICE_USER),
  capture: z
    .strictObject({
      backend: z.enum(['ring', 'cap']).default(process.platform === 'linux' ? 'ring' : 'cap'),
      interfaces: names.default([]),
      filter: z.string().max(4096).default(''),
      snaplen: count(0, MAX_SNAP_LEN).default(0),
      'ring-mib': count(1, MAX_RING_MIB).default(64),
    })
    .prefault({}),
  network: z
    .strictObject({
      tunnel: names.default([]),
      physical: names.default([]),
      'vpn-resolvers': addresses.default([]),
      endpoints: endpoints.default([]),
      doh: resolvers.default([]),
      'as-database': path.optional(),
    })
    .prefault({}),
  store: z
    .strictObject({
      path: path.default(DEFAULT_STORE),
      'max-age-days': count(1, 3650).default(7),
      'max-size-mb': count(10, 1_000_000).default(500),
    })
    .prefault({}),
  api: z
    .strictObject({
      socket: path.default(DEFAULT_SOCKET),
      listen: z
        .string()
        .refine(isLoopback, 'give a loopback address such as "127.0.0.1:8477" or "[::1]:8477"')
        .optional(),
      'token-file': path.default(DEFAULT_TOKEN),
    })
    .prefault({}),
  events: z.strictObject({ file: path.optional() }).prefault({}),
  evidence: z
    .strictObject({
      enabled: z.boolean().default(true),
      directory: path.default(DEFAULT_EVIDENCE),
      // A question is known to be unanswered when it and the next one have had their time.
      seconds: count(1, 60).default(30),
      'memory-mib': count(1, 1024).default(16),
      blank: z.boolean().default(true),
      'max-age-days': count(1, 3650).default(7),
      'max-size-mb': count(1, 1_000_000).default(500),
    })
    .prefault({}),
  log: z.strictObject({ level: z.enum(['error', 'warn', 'info', 'debug']).default('info') }).prefault({}),
})

/** Keys as in the file. */
export type Config = z.infer<typeof schema>

/** What takes effect on SIGHUP; everything else needs a restart. A trailing dot means the whole table. */
const LIVE_KEYS = ['log.', 'evidence.max-age-days', 'evidence.max-size-mb', 'evidence.blank', 'evidence.seconds']

/**
 * Reads a configuration file.
 * @throws OperatorError `config-unreadable`, `config-syntax`, `config-key`, `config-value`
 */
export function readConfig(file: string): Config {
  let bytes: Buffer | undefined
  try {
    bytes = readBounded(file, MAX_FILE_LEN)
  } catch (error) {
    throw new OperatorError('config-unreadable', `${file} cannot be read: ${systemErrorText(error)}.`)
  }
  if (bytes === undefined) throw new OperatorError('config-unreadable', `${file} is larger than 1 MB.`)
  return parseConfig(bytes.toString('utf8'), file)
}

/** The configuration without a file. */
export function defaultConfig(): Config {
  return schema.parse({})
}

/**
 * `text` as TOML 1.0; `file` is for the sentences.
 * @throws OperatorError `config-syntax`, `config-key`, `config-value`
 */
export function parseConfig(text: string, file: string): Config {
  let tables: unknown
  try {
    tables = parse(text)
  } catch (error) {
    if (!(error instanceof TomlError)) throw error
    const reason = error.message.split('\n')[0]!.replace(/^Invalid TOML document: /, '')
    throw new OperatorError('config-syntax', `${file}:${error.line}:${error.column}: no TOML: ${reason}.`)
  }
  const result = schema.safeParse(tables)
  if (result.success) return result.data
  const issues = result.error.issues
  // The unknown key first: a value that seems missing may stand under a mistyped name.
  const unknown = issues.find((issue) => issue.code === 'unrecognized_keys')
  if (unknown !== undefined) {
    const table = unknown.path.map(String)
    const key = unknown.keys[0]!
    const where = [...table, key].join('.')
    throw new OperatorError('config-key', `${file}: there is no key "${where}"; ${suggestion(key, keysOf(table))}.`)
  }
  const { path: keyPath, message } = issues[0]!
  throw new OperatorError('config-value', `${file}: ${keyPath.map(String).join('.')}: ${plain(message)}.`)
}

/** Which keys differ: those that take effect now, and those for which the daemon must be started again. */
export function configChanges(before: Config, after: Config): { live: string[]; restart: string[] } {
  const live: string[] = []
  const restart: string[] = []
  const old = flat(before)
  const now = flat(after)
  for (const key of new Set([...old.keys(), ...now.keys()])) {
    if (old.get(key) === now.get(key)) continue
    const isLive = LIVE_KEYS.some((one) => (one.endsWith('.') ? key.startsWith(one) : key === one))
    ;(isLive ? live : restart).push(key)
  }
  return { live, restart }
}

/** Every key there is, as `table.key`; the documentation is tested against it. */
export function configKeys(): string[] {
  return Object.keys(schema.shape).flatMap((key) => {
    const inner = keysOf([key])
    return inner.length === 0 ? [key] : inner.map((one) => `${key}.${one}`)
  })
}

/** Host and port of `api.listen`. */
export function listenAddress(text: string): { host: string; port: number } {
  const colon = text.lastIndexOf(':')
  return { host: text.slice(0, colon).replace(/^\[|\]$/g, ''), port: Number(text.slice(colon + 1)) }
}

function keysOf(table: readonly string[]): string[] {
  if (table.length === 0) return Object.keys(schema.shape)
  const inner = schema.shape[table[0] as keyof typeof schema.shape]
  const object = inner instanceof z.ZodPrefault ? inner.unwrap() : undefined
  return object instanceof z.ZodObject ? Object.keys(object.shape) : []
}

function suggestion(key: string, known: readonly string[]): string {
  const meant = nearestWord(key, known)
  return meant === undefined ? `known here: ${known.join(', ')}` : `did you mean "${meant}"`
}

function flat(config: Config): Map<string, string> {
  const values = new Map<string, string>()
  for (const [key, value] of Object.entries(config)) {
    if (typeof value === 'object' && !Array.isArray(value)) {
      for (const [inner, one] of Object.entries(value)) values.set(`${key}.${inner}`, JSON.stringify(one))
    } else values.set(key, JSON.stringify(value))
  }
  return values
}

function plain(message: string): string {
  return message.replace(/^Invalid input: /, '').replace(/\.$/, '')
}

function isEndpoint(text: string): boolean {
  if (ipaddr.isValid(text)) return true
  const match = /^(?:\[(.+)\]|([\d.]+)):(\d{1,5})$/.exec(text)
  return match !== null && ipaddr.isValid(match[1] ?? match[2]!) && Number(match[3]) <= 65_535
}

/** Whether `api.listen` can be that. */
export function isLoopback(text: string): boolean {
  const match = /^(?:127\.0\.0\.1|\[::1\]):(\d{1,5})$/.exec(text)
  return match !== null && Number(match[1]) <= 65_535
}

/** Where evidence goes: a store that a flag puts elsewhere takes its evidence along, unless the settings name a place. */
export function evidenceDirectory({ evidence }: Config, storeFlag: string | undefined): string {
  return besideStore(evidence.directory, DEFAULT_EVIDENCE, storeFlag)
}

/** The same for the token. */
export function tokenFile({ api }: Config, storeFlag: string | undefined): string {
  return besideStore(api['token-file'], DEFAULT_TOKEN, storeFlag)
}

function besideStore(path: string, defaultPath: string, storeFlag: string | undefined): string {
  if (storeFlag === undefined || path !== defaultPath) return path
  return join(dirname(resolve(storeFlag)), basename(defaultPath))
}
