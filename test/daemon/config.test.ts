// The configuration file: what is taken, what is refused and in which words, what a reload can change.
import { readFileSync } from 'node:fs'
import {
  configChanges,
  configKeys,
  defaultConfig,
  listenAddress,
  parseConfig,
  readConfig,
} from '../../src/daemon/config.ts'
import type { OperatorError } from '../../src/model/operator-error.ts'

const read = (text: string) => parseConfig(text, 'ts.toml')
const refusal = (text: string) => {
  try {
    read(text)
  } catch (error) {
    return `${(error as OperatorError).code}: ${(error as Error).message}`
  }
  return 'accepted'
}
const packaged = new URL('../../packaging/tunnelscope.toml', import.meta.url)

describe('a configuration', () => {
  test('without keys is the default', () => {
    expect(read('')).toEqual(defaultConfig())
    expect(read('').evidence).toMatchObject({
      enabled: true,
      seconds: 30,
      blank: true,
      'max-age-days': 7,
      'max-size-mb': 500,
    })
  })

  test('takes what the file says and leaves the rest', () => {
    const config = read('[capture]\ninterfaces = ["eth0", "wg0"]\n[api]\nlisten = "[::1]:8477"\n')
    expect(config.capture.interfaces).toEqual(['eth0', 'wg0'])
    expect(config.capture['ring-mib']).toBe(64)
    expect(listenAddress(config.api.listen!)).toEqual({ host: '::1', port: 8477 })
  })

  test.each([
    [
      '[capture]\ninterface = ["eth0"]',
      'config-key: ts.toml: there is no key "capture.interface"; did you mean "interfaces".',
    ],
    ['[capture]\nring_mib = 8', 'config-key: ts.toml: there is no key "capture.ring_mib"; did you mean "ring-mib".'],
    ['[Store]\npath = "/x"', 'config-key: ts.toml: there is no key "Store"; did you mean "store".'],
    ['[log]\nverbosity = 3', 'config-key: ts.toml: there is no key "log.verbosity"; known here: level.'],
    ['[log]\nlevel = "loud"', /config-value: ts.toml: log.level: .*"error"\|"warn"\|"info"\|"debug"/],
    ['[store]\npath = "store.db"', 'config-value: ts.toml: store.path: give an absolute path.'],
    ['[api]\nlisten = "0.0.0.0:80"', /config-value: ts.toml: api.listen: give a loopback address/],
    [
      '[network]\nvpn-resolvers = ["dns.example"]',
      /config-value: ts.toml: network.vpn-resolvers.0: give an IP address/,
    ],
    ['[network]\ndoh = ["https://dns.example/"]', /config-value: ts.toml: network.doh.0: give a host name such as/],
    ['[network]\nendpoints = ["203.0.113.5:99999"]', /config-value: ts.toml: network.endpoints.0: /],
    ['[evidence]\nseconds = 600', /config-value: ts.toml: evidence.seconds: /],
    ['[store\npath', /config-syntax: ts.toml:1:\d+: no TOML: /],
  ])('refuses %j', (text, sentence) => {
    if (typeof sentence === 'string') expect(refusal(text)).toBe(sentence)
    else expect(refusal(text)).toMatch(sentence)
  })

  test('that is not there is one sentence', () => {
    expect(() => readConfig('/nonexistent/ts.toml')).toThrow(
      '/nonexistent/ts.toml cannot be read: no such file or directory',
    )
  })

  test('that never ends is refused', () => {
    expect(() => readConfig('/dev/zero')).toThrow('/dev/zero is larger than 1 MB')
  })
})

describe('the packaged example and the documentation', () => {
  const example = readFileSync(packaged, 'utf8')

  test('the example, every key uncommented, is the default but for the three that have none', () => {
    const uncommented = example.replace(/^# (?=[a-z-]+ = )/gm, '')
    const { events, api, network, ...rest } = read(uncommented)
    const { events: _events, api: defaultApi, network: defaultNetwork, ...defaults } = defaultConfig()
    expect(rest).toEqual(defaults)
    expect(network).toEqual({ ...defaultNetwork, 'as-database': '/usr/share/GeoIP/GeoLite2-ASN.mmdb' })
    expect(api).toEqual({ ...defaultApi, listen: '127.0.0.1:8477' })
    expect(events.file).toBe('/var/log/tunnelscope/eve.json')
  })

  test('every key is in both, and none that does not exist', () => {
    const document = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8')
    expect([...document.matchAll(/^\| `([^`]+)` +\|/gm)].map((match) => match[1])).toEqual(configKeys())
    let table = ''
    const keys: string[] = []
    for (const line of example.split('\n')) {
      table = /^\[(.+)\]$/.exec(line)?.[1] ?? table
      const key = /^# ([a-z-]+) = /.exec(line)?.[1]
      if (key !== undefined) keys.push(table === '' ? key : `${table}.${key}`)
    }
    expect(keys).toEqual(configKeys())
  })

  test('live keys are the ones the documentation marks', () => {
    const document = readFileSync(new URL('../../docs/configuration.md', import.meta.url), 'utf8')
    const marked = [...document.matchAll(/^\| `([^`]+)` +\| [^|]+ \| +yes +\|/gm)].map((match) => match[1]!)
    const other: Record<string, string> = {
      'evidence.seconds': '[evidence]\nseconds = 11',
      'evidence.blank': '[evidence]\nblank = false',
      'evidence.max-age-days': '[evidence]\nmax-age-days = 8',
      'evidence.max-size-mb': '[evidence]\nmax-size-mb = 501',
      'log.level': '[log]\nlevel = "debug"',
    }
    expect(marked.sort()).toEqual(Object.keys(other).sort())
    for (const key of marked)
      expect(configChanges(defaultConfig(), read(other[key]!))).toEqual({ live: [key], restart: [] })
  })
})

test('a reload tells what needs a restart', () => {
  const after = read('[capture]\nfilter = "udp"\n[events]\nfile = "/var/log/eve"\n[log]\nlevel = "warn"')
  expect(configChanges(defaultConfig(), after)).toEqual({
    live: ['log.level'],
    restart: ['capture.filter', 'events.file'],
  })
})
