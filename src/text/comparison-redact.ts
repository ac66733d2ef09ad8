// A comparison that can be shown to others: names, addresses and files are replaced, each by the same word wherever it
// stands, so that what is equal stays equal. Cold path.
import type { Comparison } from '../model/comparison.ts'
import { parseAddress } from './address.ts'

/** Fields that hold somebody's words and say more about a person than about a cause. */
const DROPPED = new Set(['via', 'cfRay', 'proxyStatus', 'path', 'issuer', 'organisation', 'asn', 'chain'])

/** A copy without names of hosts, interfaces and files, addresses, paths and free text of headers. Sentences are rewritten too. */
export function redactComparison(comparison: Comparison): Comparison {
  const words = new Map<string, string>()
  const give = (value: string, kind: string) => {
    if (value === '' || words.has(value)) return
    words.set(value, `${kind}-${[...words.values()].filter((word) => word.startsWith(`${kind}-`)).length + 1}`)
  }
  for (const { files } of comparison.contexts) {
    for (const file of files) {
      give(file, 'capture')
      give(file.slice(file.lastIndexOf('/') + 1), 'capture')
    }
  }
  const texts: string[] = []
  walk(comparison, (key, value) => {
    if (key === 'host') give(value, 'site')
    else if (key === 'interface') give(value, 'interface')
    else if (key === 'source') {
      give(value, 'capture')
      give(value.slice(value.lastIndexOf('/') + 1), 'capture')
    }
    texts.push(value)
    if (DROPPED.has(key) && value.length >= MIN_TEXT_LEN) give(value, 'text')
  })
  for (const text of texts) {
    for (const [found] of text.matchAll(ADDRESS_LIKE)) if (parseAddress(found) !== undefined) give(found, 'address')
    for (const [found] of text.matchAll(NAME_LIKE)) if (parseAddress(found) === undefined) give(found, 'name')
  }
  // Longer ones first: a name may be the end of another one.
  const ordered = [...words].sort((a, b) => b[0].length - a[0].length)
  return rewritten(comparison, (text) => {
    let made = text
    for (const [value, word] of ordered) if (made.includes(value)) made = replaced(made, value, word)
    return made
  }) as Comparison
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
/** Dotted names with a top level of letters; versions and basis texts (`RFC 9110 15.6.3`) have none. */
const NAME_LIKE = /[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}\b/gi

function walk(value: unknown, visit: (key: string, text: string) => void, key = ''): void {
  if (typeof value === 'string') visit(key, value)
  else if (Array.isArray(value)) for (const one of value) walk(one, visit, key)
  else if (typeof value === 'object' && value !== null) {
    for (const [name, one] of Object.entries(value)) walk(one, visit, name)
  }
}

function rewritten(value: unknown, write: (text: string) => string): unknown {
  if (typeof value === 'string') return write(value)
  if (Array.isArray(value)) return value.map((one) => rewritten(one, write))
  if (typeof value !== 'object' || value === null) return value
  const kept = Object.entries(value).filter(([name]) => !DROPPED.has(name))
  return Object.fromEntries(kept.map(([name, one]) => [name, rewritten(one, write)]))
}
