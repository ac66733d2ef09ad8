// Is there a packet filter rule that keeps DNS from leaving by an interface? Read from what `nft list ruleset` and
// iptables-save print; a reading, not a simulation: a rule with a condition we do not know counts as "in part". Pure.

/** One way a query could take. */
export interface DnsWay {
  readonly family: 4 | 6
  readonly transport: 'udp' | 'tcp'
  readonly outputInterface: string
}

/** What the filter does with a query: `blocked` with its rule, `partly` when the rule has other conditions, or `open`. */
export interface DnsBlock {
  readonly outcome: 'blocked' | 'partly' | 'open'
  /** The rule's own words. */
  readonly rule?: string
}

/** One rule, in nft's words. */
export interface FirewallRule {
  readonly families: readonly (4 | 6)[]
  readonly text: string
}

/** Rules that outgoing packets pass, in order. */
export type FirewallRules = readonly FirewallRule[]

/** Words of a rule in order; a braced set is one word. */
const NFT_WORDS = /\{[^}]*\}|"[^"]*"|\S+/g

/** Rules of chains that outgoing packets pass, from `nft list ruleset`. */
export function nftOutputRules(ruleset: string): FirewallRule[] {
  const rules: FirewallRule[] = []
  let families: (4 | 6)[] = []
  let lines: string[] = []
  let isOutput = false
  for (const raw of ruleset.split('\n')) {
    const line = raw.trim()
    const table = /^table (\S+) /.exec(line)
    if (table !== null)
      families = table[1] === 'ip' ? [4] : table[1] === 'ip6' ? [6] : table[1] === 'inet' ? [4, 6] : []
    else if (line.startsWith('chain ')) {
      lines = []
      isOutput = false
    } else if (line.startsWith('type filter hook output ')) {
      isOutput = true
      // The policy is the last word.
      if (/policy drop/.test(line)) lines.push('drop')
    } else if (line === '}') {
      if (isOutput) {
        const policy = lines[0] === 'drop' ? lines.splice(0, 1) : []
        for (const text of [...lines, ...policy.map(() => 'policy drop')]) rules.push({ families, text })
      }
      isOutput = false
      lines = []
    } else if (line !== '') lines.push(line)
  }
  return rules
}

/** The OUTPUT chain of iptables-save (4) or ip6tables-save (6), written as nft would. */
export function iptablesOutputRules(saved: string, family: 4 | 6): FirewallRule[] {
  const rules: string[] = []
  let policy: string[] = []
  let isFilter = false
  for (const line of saved.split('\n')) {
    if (line.startsWith('*')) isFilter = line === '*filter'
    if (!isFilter) continue
    if (line.startsWith(':OUTPUT DROP')) policy = ['policy drop']
    if (!line.startsWith('-A OUTPUT ')) continue
    const words = line
      .slice('-A OUTPUT '.length)
      .replace(/(! )?-o (\S+)/, (_, not, name) => `oifname ${not === undefined ? '' : '!= '}"${name}"`)
      .replace(/(! )?-p (udp|tcp)\b/, (_, not, name) => `meta l4proto ${not === undefined ? '' : '!= '}${name}`)
      .replace(/-m (udp|tcp|comment) /g, '')
      .replace(/--comment (?:"[^"]*"|\S+)/, '')
      .replace(/--dports? (\S+)/, (_, ports: string) => `th dport { ${ports.replaceAll(',', ', ')} }`)
      .replace(/-m mark ! --mark (\S+)/, 'meta mark != $1')
      .replace(/-m addrtype ! --dst-type LOCAL/, 'fib daddr type != local')
      .replace(/-m multiport /, '')
      .replace(/-j (DROP|REJECT|ACCEPT)\b.*/, (_, target: string) => target.toLowerCase())
    rules.push(words.trim())
  }
  return [...rules, ...policy].map((text) => ({ families: [family], text }))
}

/** What the first rule that concerns the query does. */
export function dnsBlock(rules: FirewallRules, way: DnsWay): DnsBlock {
  let partly: string | undefined
  for (const { families, text } of rules) {
    if (!families.includes(way.family)) continue
    const reading = readRule(text, way)
    if (reading === 'no') continue
    const isDrop = /\b(drop|reject)\b/.test(text)
    if (reading === 'maybe') {
      if (isDrop) partly ??= text
      continue
    }
    if (isDrop) return { outcome: 'blocked', rule: text }
    if (/\baccept\b/.test(text)) break
  }
  return partly === undefined ? { outcome: 'open' } : { outcome: 'partly', rule: partly }
}

/** Does the rule concern the query? `maybe` when a condition is one we do not know. */
function readRule(text: string, { family, transport, outputInterface }: DnsWay): 'yes' | 'no' | 'maybe' {
  if (text === 'policy drop') return 'yes'
  const words = text.match(NFT_WORDS) ?? []
  let answer: 'yes' | 'maybe' = 'yes'
  for (let i = 0; i < words.length; ) {
    const [word, next] = [words[i]!, words[i + 1] ?? '']
    const pair = `${word} ${next}`
    const isInterface = word === 'oifname' || word === 'oif'
    if (/^(drop|reject|accept|counter|log|packets|bytes|comment|prefix|level|limit)$/.test(word)) {
      if (word === 'limit') answer = 'maybe'
      if (/^(packets|bytes|comment|prefix|level)$/.test(word)) i++
      if (/^(drop|reject|accept)$/.test(word)) return answer
      i++
    } else if (
      isInterface ||
      /^(udp dport|tcp dport|th dport|meta l4proto|meta nfproto|meta mark|fib daddr)$/.test(pair)
    ) {
      let at = i + (isInterface ? 1 : 2)
      if (pair === 'fib daddr' && words[at] === 'type') at++
      const isNot = words[at] === '!='
      if (isNot) at++
      const values = (words[at] ?? '')
        .replace(/[{}"]/g, '')
        .split(',')
        .map((value) => value.trim())
      let holds: boolean | undefined
      if (isInterface) holds = values.some((value) => sameName(value, outputInterface))
      else if (pair.endsWith('dport')) {
        holds = (pair.startsWith(transport) || pair.startsWith('th')) && values.some(isDnsPort)
        // `tcp dport != 53` says nothing about UDP.
        if (isNot && !pair.startsWith(transport) && !pair.startsWith('th')) return 'no'
      } else if (pair === 'meta l4proto') holds = values.includes(transport)
      else if (pair === 'meta nfproto') holds = values.includes(family === 4 ? 'ipv4' : 'ipv6')
      // Programs that ask have no mark, and ask somebody else.
      else
        holds = pair === 'meta mark' ? values.includes('0') || values.includes('0x00000000') : !values.includes('local')
      if (holds === isNot) return 'no'
      i = at + 1
    } else {
      answer = 'maybe'
      i++
    }
  }
  return answer
}

function sameName(value: string, name: string): boolean {
  return value.endsWith('*') ? name.startsWith(value.slice(0, -1)) : value === name
}

function isDnsPort(value: string): boolean {
  const [first, last] = value.split(/[-:]/)
  if (value === 'domain') return true
  return Number(first) <= 53 && 53 <= Number(last ?? first)
}
