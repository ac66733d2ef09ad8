// Names that mean something special: they belong to no resolver on the internet, or are asked there on purpose.
import { isDocumentationAddress, isPrivateAddress } from '../address-classes.ts'

/** Zones that are answered locally, with the standard that says so (rules.md X5). */
export const LOCAL_ZONES: readonly (readonly [zone: string, standard: string])[] = Object.freeze([
  ['local', 'RFC 6762 3'],
  ['localhost', 'RFC 6761 6.3'],
  ['home.arpa', 'RFC 8375 4'],
  ['resolver.arpa', 'RFC 9462 6.1'],
  ['ipv4only.arpa', 'RFC 8880 5'],
  ['use-application-dns.net', 'Firefox canary domain'],
  ['mask.icloud.com', 'Apple canary domain'],
  ['mask-h2.icloud.com', 'Apple canary domain'],
])

/** Suffixes that LANs use without anybody having assigned them (rules.md X6). */
export const LAN_SUFFIXES: readonly string[] = Object.freeze(['lan', 'home', 'internal', 'localdomain', 'corp'])

/** Names that operating systems and browsers ask to see whether there is a captive portal (rules.md X3, RFC 8952). */
export const CONNECTIVITY_CHECK_NAMES: readonly string[] = Object.freeze([
  'captive.apple.com',
  'connectivitycheck.gstatic.com',
  'connectivitycheck.android.com',
  'www.msftconnecttest.com',
  'msftconnecttest.com',
  'ipv6.msftconnecttest.com',
  'dns.msftncsi.com',
  'www.msftncsi.com',
  'detectportal.firefox.com',
  'nmcheck.gnome.org',
  'connectivity-check.ubuntu.com',
])

/** First label of the names that our own active check asks (rules.md X9). */
export const OWN_PROBE_LABEL = /^tunnelscope-probe(-[0-9a-z]+)?\./

/** `name` is `zone` or below it. Both in lower case, without the final dot. */
export function isUnder(name: string, zone: string): boolean {
  if (!name.endsWith(zone)) return false
  return name.length === zone.length || name[name.length - zone.length - 1] === '.'
}

/** A name without a dot: a host on this network. */
export function isSingleLabel(name: string): boolean {
  return name !== '' && !name.includes('.')
}

/** A prefix that a reverse name stands for: its first address as four words, and its length within its family. */
export interface ReversePrefix {
  words: [number, number, number, number]
  isIpv4: boolean
  prefixLen: number
}

/** The prefix of a name below in-addr.arpa (RFC 1035 3.5) or ip6.arpa (RFC 3596 2.5); labels in front of it are skipped. */
export function reversePrefix(name: string): ReversePrefix | undefined {
  const isIpv4 = isUnder(name, 'in-addr.arpa')
  if (!isIpv4 && !isUnder(name, 'ip6.arpa')) return undefined
  const labels = name.split('.').slice(0, -2).reverse()
  const valid = isIpv4 ? /^\d{1,3}$/ : /^[0-9a-f]$/
  const end = labels.findIndex((label) => !valid.test(label))
  const digits = labels.slice(0, end < 0 ? undefined : end).slice(0, isIpv4 ? 4 : 32)
  const words: [number, number, number, number] = [0, 0, isIpv4 ? 0xffff : 0, 0]
  for (const [index, digit] of digits.entries()) {
    if (isIpv4) words[3] = (words[3] | (Number(digit) << (24 - index * 8))) >>> 0
    else words[index >> 3] = (words[index >> 3]! | (Number.parseInt(digit, 16) << (28 - (index & 7) * 4))) >>> 0
  }
  return { words, isIpv4, prefixLen: digits.length * (isIpv4 ? 8 : 4) }
}

/** Zones of networks that nobody on the internet can know: RFC 6303 and RFC 7793. Shorter prefixes are the internet's. */
export function isLocalReverse(prefix: ReversePrefix): boolean {
  const [w0, w1, w2, w3] = prefix.words
  if (prefix.prefixLen < 8) return false
  // The whole name of the broadcast address, of :: and of ::1; what lies around them is the internet's.
  const isWhole = prefix.isIpv4
    ? prefix.prefixLen === 32 && w3 === 0xffff_ffff
    : prefix.prefixLen === 128 && w0 === 0 && w1 === 0 && w2 === 0 && w3 <= 1
  const isThisHost = prefix.isIpv4 && (w3 >>> 24 === 127 || w3 >>> 24 === 0)
  return isWhole || isThisHost || isPrivateAddress(w0, w1, w2, w3) || isDocumentationAddress(w0, w1, w2, w3)
}
