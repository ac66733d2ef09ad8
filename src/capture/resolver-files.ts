// The resolvers that the system is told to use: resolv.conf (resolv.conf(5)), and per link what systemd-resolved and
// systemd-networkd write under /run. Read again when inotify or a file's change time says so.
import { type FSWatcher, readdirSync, readFileSync, realpathSync, statSync, watch } from 'node:fs'
import { dirname, join } from 'node:path'
import ipaddr from 'ipaddr.js'
import type { DnsServer } from '../model/network-context.ts'

const DNS_PORT = 53
/** Larger than any real one; what is beyond is not read. */
const MAX_FILE_LEN = 64 * 1024
/** A bind mount over resolv.conf (ip netns exec) is not told by inotify, so the files are looked at now and then. */
const LOOK_AGAIN_MILLIS = 1000

export interface ResolverFileState {
  readonly dnsServers: readonly DnsServer[]
  readonly searchDomains: readonly string[]
  /** When the youngest file changed, microseconds since 1970; 0 when there is none. */
  readonly changedMicros: number
}

export class ResolverFiles {
  readonly #root: string
  #watchers: FSWatcher[] = []
  #dirty = true
  #lookedMillis = 0
  #signature = ''
  #state: ResolverFileState = { dnsServers: [], searchDomains: [], changedMicros: 0 }

  /** `root` is '' but in tests. `onChange` is called from the event loop when a file may have changed. */
  constructor(root: string, onChange: () => void) {
    this.#root = root
    const changed = () => {
      this.#dirty = true
      onChange()
    }
    const places = new Set([
      join(root, '/etc'),
      join(root, '/etc/resolv.conf'),
      realDirectory(join(root, '/etc/resolv.conf')),
    ])
    for (const place of [...places, join(root, '/run/systemd/resolve/netif'), join(root, '/run/systemd/netif/links')]) {
      try {
        const isDirectory = statSync(place).isDirectory()
        const watcher = watch(place, { persistent: false }, (_event, name) => {
          if (!isDirectory || place.startsWith(join(root, '/run')) || name?.startsWith('resolv.conf')) changed()
        })
        watcher.on('error', () => watcher.close())
        this.#watchers.push(watcher)
      } catch {
        // Not there, or the system has no inotify watch left: the look now and then remains.
      }
    }
  }

  /** The state now; the same object as long as nothing changed. Never throws. */
  read(nowMillis: number): ResolverFileState {
    if (!this.#dirty && nowMillis - this.#lookedMillis < LOOK_AGAIN_MILLIS) return this.#state
    this.#dirty = false
    this.#lookedMillis = nowMillis
    const files = this.#files()
    const signature = files.map((file) => `${file.path} ${file.stamp}`).join('\n')
    if (signature === this.#signature) return this.#state
    this.#signature = signature
    this.#state = this.#parse(files)
    return this.#state
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close()
    this.#watchers = []
  }

  #files(): { path: string; stamp: string; changedMicros: number }[] {
    const paths = ['/etc/resolv.conf', '/run/systemd/resolve/resolv.conf']
    for (const directory of ['/run/systemd/resolve/netif', '/run/systemd/netif/links']) {
      try {
        for (const name of readdirSync(join(this.#root, directory)).sort()) {
          if (/^\d+$/.test(name)) paths.push(`${directory}/${name}`)
        }
      } catch {
        // No systemd here.
      }
    }
    const files: { path: string; stamp: string; changedMicros: number }[] = []
    for (const path of paths) {
      try {
        const { ino, size, mtimeMs, ctimeMs } = statSync(join(this.#root, path))
        files.push({
          path,
          stamp: `${ino} ${size} ${mtimeMs} ${ctimeMs}`,
          changedMicros: Math.floor(Math.max(mtimeMs, ctimeMs) * 1000),
        })
      } catch {
        // Gone between the two looks.
      }
    }
    return files
  }

  #parse(files: readonly { path: string; changedMicros: number }[]): ResolverFileState {
    const dnsServers: DnsServer[] = []
    const searchDomains: string[] = []
    let changedMicros = 0
    for (const { path, changedMicros: changed } of files) {
      let text: string
      try {
        text = readFileSync(join(this.#root, path), 'utf8').slice(0, MAX_FILE_LEN)
      } catch {
        continue
      }
      changedMicros = Math.max(changedMicros, changed)
      const found = path.endsWith('resolv.conf')
        ? parseResolvConf(text, path)
        : parseLinkFile(text, path, Number(path.slice(path.lastIndexOf('/') + 1)))
      for (const server of found.dnsServers) {
        const known = dnsServers.some(
          (other) =>
            other.address === server.address &&
            other.port === server.port &&
            other.interfaceIndex === server.interfaceIndex,
        )
        if (!known) dnsServers.push(server)
      }
      for (const domain of found.searchDomains) if (!searchDomains.includes(domain)) searchDomains.push(domain)
    }
    return { dnsServers, searchDomains, changedMicros }
  }
}

interface Found {
  dnsServers: DnsServer[]
  searchDomains: string[]
}

/** resolv.conf(5): `nameserver ADDRESS`, `search DOMAIN…`, `domain DOMAIN`; the last of `search` and `domain` wins. */
export function parseResolvConf(text: string, source: string): Found {
  const dnsServers: DnsServer[] = []
  let searchDomains: string[] = []
  for (const line of text.split('\n')) {
    const words = line
      .replace(/[#;].*/, '')
      .trim()
      .split(/\s+/)
    if (words[0] === 'nameserver') dnsServers.push(...serverOf(words[1] ?? '', source))
    if (words[0] === 'search' || words[0] === 'domain') searchDomains = words.slice(1).map(withoutDot)
  }
  return { dnsServers, searchDomains }
}

/** systemd's own files, one per link: `SERVERS=` or `DNS=`, `DOMAINS=`, values by spaces; `~` marks a route-only domain. */
export function parseLinkFile(text: string, source: string, interfaceIndex: number): Found {
  const dnsServers: DnsServer[] = []
  const searchDomains: string[] = []
  for (const line of text.split('\n')) {
    const [key, value] = [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1).trim()]
    const words = value === '' ? [] : value.split(/\s+/)
    if (key === 'SERVERS' || key === 'DNS') {
      for (const word of words) {
        dnsServers.push(...serverOf(word, source).map((server) => ({ ...server, interfaceIndex })))
      }
    }
    if (key === 'DOMAINS') searchDomains.push(...words.map(withoutDot))
  }
  return { dnsServers, searchDomains }
}

/** `ADDRESS`, `ADDRESS:PORT`, `[ADDRESS]:PORT`, each with `%interface` and `#server-name`; empty when it is none. */
function serverOf(text: string, source: string): DnsServer[] {
  const bare = text.replace(/#.*/, '')
  const bracket = /^\[([^\]]+)\](?::(\d+))?$/.exec(bare)
  const dotted = /^([\d.]+):(\d+)$/.exec(bare)
  const address = (bracket?.[1] ?? dotted?.[1] ?? bare).replace(/%.*/, '')
  if (!ipaddr.isValid(address) || (!address.includes(':') && !ipaddr.IPv4.isValidFourPartDecimal(address))) return []
  const port = Number(bracket?.[2] ?? dotted?.[2] ?? DNS_PORT)
  return [{ address: ipaddr.parse(address).toString(), port, source }]
}

/** The root itself, `.` or `~.`, keeps its dot. */
function withoutDot(domain: string): string {
  return /[^.~]\.$/.test(domain) ? domain.slice(0, -1) : domain
}

function realDirectory(path: string): string {
  try {
    return dirname(realpathSync(path))
  } catch {
    return dirname(path)
  }
}
