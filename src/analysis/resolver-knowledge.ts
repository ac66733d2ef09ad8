// Which names and addresses are known to be encrypted resolvers: the built-in list, what the operator names, and what
// the machine itself learned by asking (RFC 9462 discovery, RFC 9461 SVCB, the resolver's own name).
import { ENCRYPTED_RESOLVER_ADDRESSES, ENCRYPTED_RESOLVER_NAMES } from '../constants/encrypted-resolvers.ts'
import { parseAddress } from '../text/address.ts'

export interface ResolverKnowledge {
  /** The name is a known resolver's; `named` when the operator said so. In lower case, without the final dot. */
  byName(name: string): 'named' | 'name' | undefined
  /** The address is; `bootstrap` when it was learned at most before `timeMicros`. */
  byAddress(address: string, timeMicros: number): 'named' | 'bootstrap' | 'address' | undefined
  /** The machine was told at that time that a resolver has this address, or this name. */
  learnAddress(address: string, timeMicros: number): void
  learnName(name: string): void
}

/** Addresses and names learned; a machine has a handful of resolvers. */
const MAX_LEARNED = 4096

/** Addresses whose class is remembered. */
const MAX_CLASSES = 4096

interface AddressClass {
  key: string
  isNamed: boolean
  isKnown: boolean
}

interface Prefix {
  words: readonly number[]
  len: number
}

const KNOWN_NAMES: ReadonlySet<string> = new Set(ENCRYPTED_RESOLVER_NAMES)
const KNOWN_PREFIXES: readonly Prefix[] = ENCRYPTED_RESOLVER_ADDRESSES.map(prefixOf)

/** `named`: what the operator gave with --doh, names or addresses. */
export function createResolverKnowledge(named: readonly string[]): ResolverKnowledge {
  const namedNames = new Set<string>()
  const namedAddresses = new Set<string>()
  for (const text of named) {
    const words = parseAddress(text)
    if (words === undefined) namedNames.add(text.toLowerCase().replace(/\.$/, ''))
    else namedAddresses.add(words.join())
  }
  const learnedAddresses = new Map<string, number>()
  const learnedNames = new Set<string>()
  const classes = new Map<string, AddressClass>()

  /** Looked at once: many connections go to few servers. */
  function classOf(address: string): AddressClass {
    let found = classes.get(address)
    if (found === undefined) {
      if (classes.size === MAX_CLASSES) classes.clear()
      const words = parseAddress(address)
      const key = words === undefined ? '' : words.join()
      const isKnown = words !== undefined && KNOWN_PREFIXES.some((one) => isWithin(words, one))
      found = { key, isNamed: namedAddresses.has(key), isKnown }
      classes.set(address, found)
    }
    return found
  }

  return {
    byName(name) {
      if (namedNames.size > 0 && isUnderOneOf(name, namedNames)) return 'named'
      return learnedNames.has(name) || isUnderOneOf(name, KNOWN_NAMES) ? 'name' : undefined
    },
    byAddress(address, timeMicros) {
      const { key, isNamed, isKnown } = classOf(address)
      if (isNamed) return 'named'
      if ((learnedAddresses.get(key) ?? Number.POSITIVE_INFINITY) <= timeMicros) return 'bootstrap'
      return isKnown ? 'address' : undefined
    },
    learnAddress(address, timeMicros) {
      const words = parseAddress(address)
      if (words === undefined || learnedAddresses.size >= MAX_LEARNED) return
      const key = words.join()
      const before = learnedAddresses.get(key)
      if (before === undefined || before > timeMicros) learnedAddresses.set(key, timeMicros)
    },
    learnName(name) {
      if (learnedNames.size < MAX_LEARNED && name !== '') learnedNames.add(name.toLowerCase())
    },
  }
}

/** IPv4 prefixes count from the mapped address's 96 bits on. */
function prefixOf(text: string): Prefix {
  const [address = '', len] = text.split('/')
  const words = parseAddress(address) ?? [0, 0, 0, 0]
  const family = address.includes(':') ? 0 : 96
  return { words: [...words], len: len === undefined ? 128 : family + Number(len) }
}

function isWithin(words: ArrayLike<number>, prefix: Prefix): boolean {
  for (let word = 0, left = prefix.len; left > 0; word++, left -= 32) {
    const mask = left >= 32 ? 0xffff_ffff : (0xffff_ffff << (32 - left)) >>> 0
    if ((words[word]! & mask) >>> 0 !== (prefix.words[word]! & mask) >>> 0) return false
  }
  return true
}

/** The name or one of those above it is in `zones`. */
function isUnderOneOf(name: string, zones: ReadonlySet<string>): boolean {
  if (zones.has(name)) return true
  for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
    if (zones.has(name.slice(dot + 1))) return true
  }
  return false
}
