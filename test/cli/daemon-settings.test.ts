// What flags and configuration say of the network reaches the capture, and what is no name or address is refused.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DaemonFlags, daemonConfig, daemonOptions, serviceStart } from '../../src/cli/daemon-settings.ts'
import { defaultConfig } from '../../src/daemon/config.ts'
import { isHostOrAddress } from '../../src/text/host-name.ts'

const FLAGS: DaemonFlags = {
  interface: [],
  tunnel: [],
  physical: [],
  vpnResolver: [],
  endpoint: [],
  doh: [],
  service: false,
}

function captured(flags: Partial<DaemonFlags>, toml: string) {
  const folder = mkdtempSync(join(tmpdir(), 'settings-'))
  try {
    const config = join(folder, 'ts.toml')
    writeFileSync(config, toml)
    const all = { ...FLAGS, ...flags, config }
    return daemonOptions(daemonConfig(all), all, [], undefined).capture
  } finally {
    rmSync(folder, { recursive: true })
  }
}

test('everything of [network] reaches the capture, the flags with it', () => {
  const toml = `[network]
    tunnel = ["wg0"]\nphysical = ["eth0"]\nvpn-resolvers = ["10.64.0.1"]
    endpoints = ["203.0.113.5:51820"]\ndoh = ["dns.company.example"]`
  const flags = { endpoint: ['[2001:db8::5]:443'], doh: ['203.0.113.53', 'Other.Example.'] }
  expect(captured(flags, toml)).toMatchObject({
    tunnels: ['wg0'],
    physicals: ['eth0'],
    vpnResolvers: ['10.64.0.1'],
    endpoints: ['203.0.113.5:51820', '[2001:db8::5]:443'],
    encryptedResolvers: ['dns.company.example', '203.0.113.53', 'Other.Example.'],
  })
})

test('-i any is every interface, also where the configuration chooses some', () => {
  const toml = '[capture]\ninterfaces = ["eth0"]'
  expect(captured({}, toml).interfaces).toEqual(['eth0'])
  expect(captured({ interface: ['wg0'] }, toml).interfaces).toEqual(['wg0'])
  expect(captured({ interface: ['any'] }, toml).interfaces).toBeUndefined()
})

test.each([
  [{ doh: ['https://dns.example/dns-query'] }, '--doh https://dns.example/dns-query: neither a host name nor an IP'],
  [{ doh: ['1.1.1.300'] }, '--doh 1.1.1.300: neither a host name nor an IP'],
  [{ endpoint: ['vpn.example'] }, '--endpoint vpn.example: not an IP address'],
  [{ endpoint: ['203.0.113.5:99999'] }, '--endpoint 203.0.113.5:99999: a port is a number up to 65535'],
  [{ vpnResolver: ['dns'] }, '--vpn-resolver dns: not an IP address'],
  [{ write: '' }, '--write is empty: name a file'],
  [{ socket: '' }, '--socket is empty: name a file'],
  [{ asDatabase: '' }, '--as-database is empty: name a file'],
  [{ listen: '0.0.0.0:8477' }, '--listen 0.0.0.0:8477: give 127.0.0.1:PORT or [::1]:PORT'],
  [{ listen: '127.0.0.1:65536' }, '--listen 127.0.0.1:65536: give 127.0.0.1:PORT'],
  [{ listen: '' }, '--listen : give 127.0.0.1:PORT'],
  [{ buffer: '1' }, '-B 1: give a whole number from 1024 to 4193280'],
  [{ buffer: '99999999' }, '-B 99999999: give a whole number from 1024 to 4193280'],
  [{ snapshotLength: '262145' }, '-s 262145: give a whole number from 0 to 262144'],
  [{ count: '0' }, '-c 0: give a whole number from 1'],
])('%j is refused', (flags, sentence) => {
  expect(() => captured(flags, '')).toThrow(sentence)
})

test('--listen wins over the settings, and the token lies beside a store that is elsewhere', () => {
  const served = (flags: Partial<DaemonFlags>, toml: string) => {
    const folder = mkdtempSync(join(tmpdir(), 'settings-'))
    try {
      const config = join(folder, 'ts.toml')
      writeFileSync(config, toml)
      const all = { ...FLAGS, service: true, ...flags, config }
      return daemonOptions(daemonConfig(all), all, [], undefined).service?.loopback
    } finally {
      rmSync(folder, { recursive: true })
    }
  }
  expect(served({}, '')).toBeUndefined()
  expect(served({ listen: '[::1]:9000' }, '[api]\nlisten = "127.0.0.1:8477"')).toEqual({
    host: '::1',
    port: 9000,
    tokenPath: '/var/lib/tunnelscope/token',
  })
  expect(served({ listen: '127.0.0.1:8477', store: '/tmp/x/store.db' }, '')).toMatchObject({
    tokenPath: '/tmp/x/token',
  })
  expect(served({ store: '/tmp/x/store.db' }, '[api]\nlisten = "127.0.0.1:1"\ntoken-file = "/etc/t"')).toMatchObject({
    tokenPath: '/etc/t',
  })
})

test('-s 0 is all of a packet, as tcpdump has it, also over a setting', () => {
  expect(captured({ snapshotLength: '0' }, '[capture]\nsnaplen = 96')).not.toHaveProperty('snapLen')
  expect(captured({}, '[capture]\nsnaplen = 96')).toHaveProperty('snapLen', 96)
})

test('-w - is standard output, opened by nobody', () => {
  const flags = { ...FLAGS, write: '-', report: 'r.json' }
  expect(captured({ write: '-' }, '')).toMatchObject({ writePath: '-', writeName: 'standard output' })
  expect(serviceStart(defaultConfig(), flags).files).toEqual(['r.json'])
})

test.each(['dns.example', 'DNS.Example.', '_x.dns-2.example', 'xn--bcher-kva.example', '1.1.1.1', '2606:4700::1111'])(
  '%s names a server',
  (text) => expect(isHostOrAddress(text)).toBe(true),
)

test.each([
  ...[
    '',
    '.',
    'dns',
    'dns..example',
    '-dns.example',
    'dns.example/x',
    'dns.example:853',
    'dns .example',
    'a.1',
    '1.1.1',
  ],
  `${'a'.repeat(64)}.example`,
  `${'a.'.repeat(130)}example`,
])('%j names none', (text) => expect(isHostOrAddress(text)).toBe(false))
