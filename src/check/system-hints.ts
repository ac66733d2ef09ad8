// What files of the system say beside the kernel's tables: resolvers of a link that a VPN has pushed out of resolv.conf,
// names in the hosts file, whether answers past the tunnel are let in. Each may be missing; none is believed blindly.
import { closeSync, fstatSync, openSync, readdirSync, readFileSync, readSync } from 'node:fs'
import { join } from 'node:path'
import { parseResolvConf } from '../capture/resolver-files.ts'
import { parseAddress, wordsText } from '../text/address.ts'

/** A resolver that a DHCP client or resolvconf(8) has for a link. */
export interface LinkResolver {
  readonly interfaceName: string
  readonly address: string
}

export interface SystemHints {
  readonly linkResolvers: readonly LinkResolver[]
  /** Addresses that /etc/hosts has for the name. */
  readonly hostsAddresses: readonly string[]
  /** Interfaces whose answers are dropped when the routes lead elsewhere (ip-sysctl, rp_filter 1; RFC 3704 2.2). */
  readonly strictInterfaces: readonly string[]
}

/** Bytes read from the end of a file; leases are appended. */
const MAX_FILE_LEN = 64 << 10
/** Files of one directory. */
const MAX_FILES = 64

/** Debian's resolvconf and openresolv keep one file an interface: `eth0.dhclient`, `tun.wg0`. */
const RESOLVCONF_FOLDERS = ['/run/resolvconf/interface', '/run/resolvconf/interfaces']
const LEASE_FOLDERS = ['/var/lib/dhcp', '/var/lib/NetworkManager']

/** `names`: the interfaces there are. `root` is '' but in tests. */
export function readSystemHints(host: string, names: readonly string[], root = ''): SystemHints {
  return {
    linkResolvers: [...resolvconfServers(names, root), ...leaseServers(names, root)],
    hostsAddresses: hostsAddresses(tailOf(join(root, '/etc/hosts')), host),
    strictInterfaces: names.filter((name) => isStrict(name, root)),
  }
}

function resolvconfServers(names: readonly string[], root: string): LinkResolver[] {
  return RESOLVCONF_FOLDERS.flatMap((folder) =>
    filesIn(join(root, folder)).flatMap((file) => {
      const interfaceName = interfaceIn(file, names)
      if (interfaceName === undefined) return []
      const { dnsServers } = parseResolvConf(tailOf(join(root, folder, file)), file)
      return dnsServers.map(({ address }) => ({ interfaceName, address }))
    }),
  )
}

/** The longest name that the file's name begins or ends with: `eth0.10.dhclient` is of the VLAN, not of `eth0`. */
function interfaceIn(file: string, names: readonly string[]): string | undefined {
  return names
    .filter((name) => file === name || file.startsWith(`${name}.`) || file.endsWith(`.${name}`))
    .sort((a, b) => b.length - a.length)[0]
}

function leaseServers(names: readonly string[], root: string): LinkResolver[] {
  const found = new Map<string, LinkResolver[]>()
  for (const folder of LEASE_FOLDERS) {
    for (const file of filesIn(join(root, folder)).filter((one) => /^dhclient.*\.leases?$/.test(one))) {
      for (const [name, addresses] of parseLeases(tailOf(join(root, folder, file)))) {
        if (!names.includes(name)) continue
        found.set(
          name,
          addresses.map((address) => ({ interfaceName: name, address })),
        )
      }
    }
  }
  return [...found.values()].flat()
}

/** dhclient.leases(5): of each interface the resolvers of its last lease (RFC 2132 3.8). */
export function parseLeases(text: string): Map<string, string[]> {
  const found = new Map<string, string[]>()
  for (const [, lease] of text.matchAll(/lease\s*\{([^}]*)\}/g)) {
    const name = /^\s*interface\s+"([^"]+)";/m.exec(lease!)?.[1]
    const servers = /^\s*option\s+domain-name-servers\s+([^;]+);/m.exec(lease!)?.[1]
    if (name === undefined) continue
    const addresses = (servers ?? '').split(',').flatMap((one) => addressOf(one.trim()))
    found.set(name, addresses)
  }
  return found
}

/** hosts(5): the addresses of the lines that name `host`. */
export function hostsAddresses(text: string, host: string): string[] {
  return text.split('\n').flatMap((line) => {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/)
    return names.some((name) => name.toLowerCase() === host) ? addressOf(address) : []
  })
}

function isStrict(name: string, root: string): boolean {
  const setting = (of: string) => Number(tailOf(join(root, `/proc/sys/net/ipv4/conf/${of}/rp_filter`)))
  // The larger one holds: 0 off, 1 strict, 2 loose.
  return Math.max(setting('all'), setting(name)) === 1
}

function addressOf(text: string): string[] {
  const words = parseAddress(text)
  return words === undefined ? [] : [wordsText(...words)]
}

function filesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort().slice(0, MAX_FILES)
  } catch {
    return []
  }
}

/** The end of a file as text; '' when it cannot be read. */
function tailOf(path: string): string {
  try {
    // Files of /proc have no length.
    if (path.includes('/proc/')) return readFileSync(path, 'latin1')
    const fd = openSync(path, 'r')
    try {
      const { size } = fstatSync(fd)
      const bytes = Buffer.alloc(Math.min(size, MAX_FILE_LEN))
      return bytes.toString('utf8', 0, readSync(fd, bytes, 0, bytes.length, size - bytes.length))
    } finally {
      closeSync(fd)
    }
  } catch {
    return ''
  }
}
