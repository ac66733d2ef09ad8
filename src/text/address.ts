// Cold path. IP addresses as text: RFC 5952 for IPv6, dotted decimal for IPv4 and its mapped form (RFC 4291 2.5.5.2).

/** The third word of an IPv4 address in its mapped form; the first two are 0. */
const MAPPED_WORD = 0xffff

/** Addresses whose text is remembered: a machine talks to few at a time, and is asked for them with every fact. */
const REMEMBERED = 4096
const rememberedWords = new Uint32Array(REMEMBERED * 4)
const rememberedTexts: (string | undefined)[] = new Array(REMEMBERED).fill(undefined)

/** The text of the four big-endian words at `at`, as in DecodedBatch.addresses. */
export function addressText(words: Uint32Array, at: number): string {
  const a = words[at]!
  const b = words[at + 1]!
  const c = words[at + 2]!
  const d = words[at + 3]!
  const hash = Math.imul(Math.imul(a ^ (b << 7) ^ c, 0x9e3779b1) ^ d, 0x85ebca6b)
  const place = (hash ^ (hash >>> 15)) & (REMEMBERED - 1)
  const start = place * 4
  const text = rememberedTexts[place]
  if (
    text !== undefined &&
    rememberedWords[start + 3] === d &&
    rememberedWords[start + 2] === c &&
    rememberedWords[start + 1] === b &&
    rememberedWords[start] === a
  ) {
    return text
  }
  const made = wordsText(a, b, c, d)
  rememberedWords.set([a, b, c, d], start)
  rememberedTexts[place] = made
  return made
}

/** The text of the address made of these four words. */
export function wordsText(a: number, b: number, c: number, d: number): string {
  if (a === 0 && b === 0 && c === MAPPED_WORD) return ipv4Text(d)
  return groupsText([a >>> 16, a & 0xffff, b >>> 16, b & 0xffff, c >>> 16, c & 0xffff, d >>> 16, d & 0xffff])
}

/** Dotted decimal of one big-endian word. */
export function ipv4Text(word: number): string {
  return `${word >>> 24}.${(word >>> 16) & 255}.${(word >>> 8) & 255}.${word & 255}`
}

/** The text of the 4 or 16 address bytes at `at`; IPv6 stays IPv6 even when it is a mapped IPv4 address. */
export function bytesAddressText(bytes: Uint8Array, at: number, addressLen: 4 | 16): string {
  if (addressLen === 4) return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`
  const groups: number[] = []
  for (let i = at; i < at + 16; i += 2) groups.push((bytes[i]! << 8) | bytes[i + 1]!)
  return groupsText(groups)
}

/**
 * The four words of an address in text form (IPv4 mapped), or undefined when it is none. Zones (`%eth0`), ports and
 * prefixes are not part of an address.
 */
export function parseAddress(text: string): [number, number, number, number] | undefined {
  if (!text.includes(':')) {
    const word = parseIpv4(text)
    return word === undefined ? undefined : [0, 0, MAPPED_WORD, word]
  }
  const groups = parseGroups(text)
  if (groups === undefined) return undefined
  const word = (i: number) => ((groups[i]! << 16) | groups[i + 1]!) >>> 0
  return [word(0), word(2), word(4), word(6)]
}

/** RFC 5952 4: lower case, no leading zeros, the first longest run of two or more zero groups becomes `::`. */
function groupsText(groups: readonly number[]): string {
  // RFC 5952 5: an address known to hold an IPv4 address shows it.
  if (groups[5] === MAPPED_WORD && groups.slice(0, 5).every((group) => group === 0)) {
    return `::ffff:${ipv4Text(((groups[6]! << 16) | groups[7]!) >>> 0)}`
  }
  let longestAt = -1
  let longestLen = 1
  for (let i = 0; i < 8; i++) {
    let end = i
    while (end < 8 && groups[end] === 0) end++
    if (end - i > longestLen) {
      longestAt = i
      longestLen = end - i
    }
    if (end > i) i = end
  }
  const hex = groups.map((group) => group.toString(16))
  if (longestAt < 0) return hex.join(':')
  return `${hex.slice(0, longestAt).join(':')}::${hex.slice(longestAt + longestLen).join(':')}`
}

function parseIpv4(text: string): number | undefined {
  const parts = text.split('.')
  if (parts.length !== 4) return undefined
  let word = 0
  for (const part of parts) {
    // A leading zero would be octal to some readers (RFC 6943 3.1.1): refused.
    if (!/^(0|[1-9][0-9]{0,2})$/.test(part) || Number(part) > 255) return undefined
    word = word * 256 + Number(part)
  }
  return word
}

/** The eight groups of RFC 4291 2.2, the last two possibly in dotted decimal. */
function parseGroups(text: string): number[] | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = parseRun(halves[0]!, halves.length === 1)
  const tail = halves.length === 2 ? parseRun(halves[1]!, true) : []
  if (head === undefined || tail === undefined) return undefined
  const missing = 8 - head.length - tail.length
  if (halves.length === 1 ? missing !== 0 : missing < 1) return undefined
  return [...head, ...new Array<number>(missing).fill(0), ...tail]
}

function parseRun(text: string, last: boolean): number[] | undefined {
  if (text === '') return []
  const groups: number[] = []
  const parts = text.split(':')
  for (const [i, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      groups.push(Number.parseInt(part, 16))
      continue
    }
    const word = last && i === parts.length - 1 ? parseIpv4(part) : undefined
    if (word === undefined) return undefined
    groups.push(word >>> 16, word & 0xffff)
  }
  return groups
}
