// What can be shown to others: names, addresses, interfaces and files are replaced, each by the same word wherever it
// stands, so that what is equal stays equal. Cold path.
import { parseAddress } from './address.ts'

/** Fields that hold somebody's words and say more about a person than about a cause. */
const DROPPED = new Set([
  ...['via', 'cfRay', 'proxyStatus', 'path', 'issuer', 'organisation', 'country', 'asn', 'chain', 'process'],
  // It would select nothing in anybody else's capture.
  'filter',
])
/** Fields that hold one of our own words. A name that happens to be that word must not change it. */
const OURS = new Set([
  ...['id', 'severity', 'confidence', 'basis', 'cause', 'dns', 'role', 'transport', 'side', 'type', 'format', 'rcode'],
  ...[
    'verdict',
    'axis',
    'stage',
    'outerFamily',
    'matchedBy',
    'protocol',
    'day',
    'time',
    'last',
    'first',
    'start',
    'end',
  ],
])
/** What a field holds, by its name, or `parent.name` where the name alone does not tell. */
const KINDS: ReadonlyMap<string, string> = new Map([
  ...['file', 'files', 'source', 'inputName'].map((key) => [key, 'capture'] as const),
  ...['host', 'site'].map((key) => [key, 'site'] as const),
  ...['interface', 'interfaces', 'interfaces.name', 'outerInterface', 'tunnelInterfaces', 'egressInterface'].map(
    (key) => [key, 'interface'] as const,
  ),
  ...['name', 'names', 'example', 'page'].map((key) => [key, 'name'] as const),
  ['app', 'program'],
])

/** A copy without names of hosts, interfaces, programs and files, addresses, paths and free text of headers. Sentences too. */
export function redact<Value>(whole: Value): Value {
  const words = new Map<string, string>()
  const counts = new Map<string, number>()
  const give = (value: string, kind: string) => {
    if (!/[\p{L}\p{N}]/u.test(value) || words.has(value)) return
    const count = (counts.get(kind) ?? 0) + 1
    counts.set(kind, count)
    words.set(value, `${kind}-${count}`)
  }
  const texts: string[] = []
  walk(whole, (key, value, parent) => {
    if (OURS.has(key) || parent === 'tool') return
    texts.push(value)
    const kind = KINDS.get(`${parent}.${key}`) ?? KINDS.get(key)
    if (kind !== undefined && value !== 'unknown' && parseAddress(value) === undefined) give(value, kind)
    if (kind === 'capture') give(value.slice(value.lastIndexOf('/') + 1), kind)
    if (DROPPED.has(key) && value.length >= MIN_TEXT_LEN) give(value, 'text')
  })
  for (const text of texts) {
    for (const [found] of text.matchAll(HARDWARE_ADDRESS)) give(found, 'hardware')
    for (const [found] of text.matchAll(ADDRESS_LIKE)) if (parseAddress(found) !== undefined) give(found, 'address')
    for (const [found] of text.matchAll(NAME_LIKE)) {
      if (parseAddress(found) === undefined && !OUR_NAMES.test(found)) give(found, 'name')
    }
  }
  // Longer ones first: a name may be the end of another one.
  const ordered = [...words].sort((a, b) => b[0].length - a[0].length)
  return rewritten(whole, (text) => {
    const known = words.get(text)
    if (known !== undefined) return known
    let made = text
    for (const [value, word] of ordered) if (made.includes(value)) made = replaced(made, value, word)
    return made
  }) as Value
}

/** A bare word (`lo`, `nas`) stands inside other words too, which stay as they are. */
function replaced(text: string, value: string, word: string): string {
  if (!/^[\w-]+$/.test(value)) return text.split(value).join(word)
  return text.replace(new RegExp(`(?<![\\w-])${value}(?![\\w-])`, 'g'), word)
}

/** A shorter text (`/`) stands in every sentence and says nothing. */
const MIN_TEXT_LEN = 4
/** IPv4, and what may be IPv6; a port after it is no part of it. */
const ADDRESS_LIKE = /\d{1,3}(?:\.\d{1,3}){3}|[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}/g
const HARDWARE_ADDRESS = /\b[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}\b/g
/** Settings and files that our own advice names. */
const OUR_NAMES = /^(net\.ipv[46]\.|resolv\.conf$)/
/** Dotted names with a top level of letters; versions and basis texts (`RFC 9110 15.6.3`) have none. */
const NAME_LIKE = /[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b/gi

/** Every text with its field's name and that of the field around it. */
function walk(value: unknown, visit: (key: string, text: string, parent: string) => void, key = '', parent = ''): void {
  if (typeof value === 'string') visit(key, value, parent)
  else if (Array.isArray(value)) for (const one of value) walk(one, visit, key, parent)
  else if (typeof value === 'object' && value !== null) {
    for (const [name, one] of Object.entries(value)) walk(one, visit, name, key)
  }
}

function rewritten(value: unknown, write: (text: string) => string): unknown {
  if (typeof value === 'string') return write(value)
  if (Array.isArray(value)) return value.map((one) => rewritten(one, write))
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(([name]) => !DROPPED.has(name))
  return Object.fromEntries(
    kept.map(([name, one]) => [name, OURS.has(name) && typeof one === 'string' ? one : rewritten(one, write)]),
  )
}
