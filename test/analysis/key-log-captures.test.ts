// The recorded lab with its key logs: every status that came over TLS is told, and nothing else; the captures of others with theirs.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { createTransport } from '../../src/analysis/trackers/transport.ts'
import { openMerged } from '../../src/capture/merge.ts'
import { createSecretsFeed, openKeyLogs } from '../../src/daemon/key-log-files.ts'
import { drain } from '../../src/daemon/pipeline.ts'
import { platformCrypto } from '../../src/daemon/platform-crypto.ts'
import { sayNotRun } from '../support/not-run.ts'

const SHARED = fileURLToPath(new URL('../../../shared/', import.meta.url))
const RECORDED = join(SHARED, 'lab/recorded')
const WIRESHARK = join(SHARED, 'captures/wireshark/test')
const within = (folder: string) => readdirSync(folder).map((name) => join(folder, name))
const runs = existsSync(RECORDED)
  ? within(RECORDED)
      .filter((path) => !path.endsWith('.md'))
      .flatMap(within)
      .filter((path) => existsSync(join(path, 'sslkeys.log')))
      .sort()
  : []
if (runs.length === 0) sayNotRun('the recorded lab with its key logs', '../shared/lab/recorded')

interface TruthHttp {
  ip: string
  host: string
  path: string
  tls: string
  result: string
}

/** `status host path address` of every exchange on a connection that began with a ClientHello. */
async function insideTls(captures: readonly string[], keyLogs: readonly string[]): Promise<string[]> {
  const keyLog = openKeyLogs(keyLogs)!
  const flows = new Set<number>()
  const told: string[] = []
  const source = await openMerged(captures)
  const transport = createTransport(
    {
      tls(fact) {
        if (fact.kind === 'client-hello') flows.add(fact.flowId)
      },
      http() {},
      httpExchange(request, response) {
        const fact = (response ?? request)!
        if (!flows.has(fact.flowId)) return
        told.push(`${response?.status} ${request?.host} ${request?.url} ${fact.serverAddress}`)
      },
    },
    { crypto: platformCrypto, keyLog },
  )
  const feedSecrets = createSecretsFeed(source.annex, keyLog)
  try {
    await drain(source, (batch, out) => {
      feedSecrets()
      for (let row = 0; row < batch.count; row++) transport.packet(batch, out, row)
    })
    transport.end()
  } finally {
    await source.close()
  }
  return told.sort()
}

test('every answer over TLS in the recorded lab', async () => {
  let total = 0
  for (const run of runs) {
    const captures = within(run).filter((path) => /(?<!merged)\.pcapng$/.test(path))
    const told = await insideTls(captures, [join(run, 'sslkeys.log')])
    const truth = JSON.parse(readFileSync(join(run, 'truth.json'), 'utf8')) as { http?: TruthHttp[] }
    const expected = (truth.http ?? [])
      .filter(({ tls, result }) => tls === 'yes' && /^\d{3}$/.test(result))
      .map(({ result, host, path, ip }) => `${result} ${host} ${path} ${ip}`)
    // Questions to a DoH server are HTTP too, and the truth has them elsewhere.
    expect([run, told.filter((line) => !line.includes('/dns-query'))]).toEqual([run, expected.sort()])
    total += expected.length
  }
  expect(total).toBeGreaterThanOrEqual(runs.length)
}, 120_000)

const isWiresharkThere = existsSync(`${WIRESHARK}/captures/tls12-dsb.pcapng`)
if (!isWiresharkThere) sayNotRun("Wireshark's captures with their key logs", '../shared/captures/wireshark')

// As tshark has them; of the suites' answers, which no FIN ends, tshark tells nothing.
test.each([
  [
    'early data',
    'tls13-rfc8446.pcap',
    'tls13-rfc8446.keys',
    ['200 undefined /early', '200 undefined /first', '200 undefined /second'],
  ],
  [
    'early data without its secret',
    'tls13-rfc8446.pcap',
    'tls13-rfc8446-noearly.keys',
    ['200 undefined /first', '200 undefined /second', '200 undefined undefined'],
  ],
  [
    'seven suites of RFC 7905',
    'tls12-chacha20poly1305.pcap',
    'tls12-chacha20poly1305.keys',
    new Array<string>(7).fill('200 localhost /'),
  ],
  ['secrets inside the capture', 'tls12-dsb.pcapng', 'capture', ['200 example.com /', '200 example.net /']],
])('%s: %s with %s', async (_name, capture, keys, expected) => {
  if (!isWiresharkThere) return
  const keyLog = keys === 'capture' ? keys : join(WIRESHARK, 'keys', keys)
  const told = await insideTls([join(WIRESHARK, 'captures', capture)], [keyLog])
  expect(told.map((line) => line.replace(/ \S+$/, ''))).toEqual(expected)
})
