// What Suricata's own tests expect of their captures (event types dns, tls, http), held against our events. The captures
// and expectations lie in ../shared/captures; without them this says so and tests nothing.
import { execFileSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { createTransport } from '../src/analysis/trackers/transport.ts'
import { openCapture } from '../src/capture/open-capture.ts'
import { drain } from '../src/daemon/pipeline.ts'
import { createEventWriter } from '../src/text/event-writer.ts'

type Json = Record<string, unknown>

interface Filter {
  count?: number
  match?: Json
}

const CAPTURES = resolve('../shared/captures')
const THRESHOLD = 0.9
/** Where and when Suricata tells an event is its own affair; ports and addresses are compared without direction. */
const IGNORED = new Set(['pcap_cnt', 'app_proto', 'src_ip', 'src_port', 'dest_ip', 'dest_port', 'ip_v'])
/** Fields of the three events that we give. */
const OURS =
  /^(event_type|proto|dns\.(version|type|id|tx_id|flags|qr|aa|tc|rd|ra|opcode|rcode|(queries|answers|authorities|additionals)(\[\d+\])?(\.(rrname|rrtype|ttl|rdata|__len))?)|http\.(hostname|url|http_method|protocol|status|http_user_agent|http_content_type|length|redirect)|tls\.(sni|version|subject|issuerdn|serial|notbefore|notafter|client_alpns(\[\d+\])?|server_alpns(\[\d+\])?|ja4|ja3\.(hash|string)|ja3s\.(hash|string)))$/

const hasher = {
  md5: (text: string) => createHash('md5').update(text).digest('hex'),
  sha256: (text: string) => createHash('sha256').update(text).digest('hex'),
}

const isThere = existsSync(`${CAPTURES}/EXPECTED_MAP.tsv`)
if (!isThere) console.log('expectations of Suricata: not run, ../shared/captures is not here')

/** YAML is read by Python's parser: these files use most of the language. */
function readExpectations(paths: string[]): Json[] {
  const program =
    'import json,sys,yaml\nprint(json.dumps([yaml.safe_load(open(p)) for p in json.load(sys.stdin)],default=str))'
  return JSON.parse(
    execFileSync('python3', ['-c', program], { input: JSON.stringify(paths), maxBuffer: 1 << 28 }).toString(),
  ) as Json[]
}

function filtersOf(expectation: Json): Filter[] {
  const checks = (expectation.checks ?? []) as { filter?: Filter }[]
  return checks.flatMap((check) => (check.filter === undefined ? [] : [check.filter]))
}

async function eventsOf(path: string): Promise<Json[]> {
  const events: Json[] = []
  const source = await openCapture(path)
  const handlers = createEventWriter((line) => void events.push(JSON.parse(line) as Json), {
    interfaces: source.interfaces,
    withInputName: false,
    keepUrlQueries: true,
  })
  const transport = createTransport(handlers, { hasher })
  await drain(source, (batch, out) => {
    for (let row = 0; row < batch.count; row++) transport.packet(batch, out, row)
  })
  transport.end()
  await source.close()
  return joinTls(events)
}

/** We tell each message of a handshake, Suricata the handshake: all of one flow together are its event. */
function joinTls(events: Json[]): Json[] {
  const joined = new Map<unknown, Json>()
  return events.filter((event) => {
    if (event.event_type !== 'tls') return true
    const first = joined.get(event.flow_id)
    if (first === undefined) {
      joined.set(event.flow_id, event)
      return true
    }
    first.tls = { ...(first.tls as Json), ...(event.tls as Json) }
    return false
  })
}

/** The value at a path such as `dns.answers[0].rdata`; `__len` is the length of a list. */
function valueAt(event: unknown, path: string): unknown {
  let value = event
  for (const step of path.split(/[.[\]]+/).filter((part) => part !== '')) {
    if (value === null || typeof value !== 'object') return undefined
    value = step === '__len' ? (value as unknown[]).length : (value as Json)[step]
  }
  return value
}

/** Versions 1 and 2 of the dns event call the sides query and answer; ours is version 3. */
function isOlderShape(path: string, want: unknown): boolean {
  return path === 'dns.type' && (want === 'query' || want === 'answer')
}

function equals(have: unknown, want: unknown): boolean {
  if (Array.isArray(want) && Array.isArray(have)) {
    return want.length === have.length && want.every((item, i) => equals(have[i], item))
  }
  return String(have) === String(want)
}

const describeThere = isThere ? describe : describe.skip
describeThere('expectations of Suricata', () => {
  test('about fields we give are met', async () => {
    const rows = readFileSync(`${CAPTURES}/EXPECTED_MAP.tsv`, 'utf8')
      .split('\n')
      .map((line) => line.split('\t'))
      .filter(([, peer, path]) => peer === 'suricata-verify' && path?.endsWith('.yaml'))
    const expectations = readExpectations(rows.map((row) => `${CAPTURES}/${row[2]}`))
    const unmet: string[] = []
    let metCount = 0
    let foreignCount = 0
    for (const [index, row] of rows.entries()) {
      const filters = filtersOf(expectations[index]!).filter(
        ({ count, match }) => count !== 0 && ['dns', 'tls', 'http'].includes(String(match?.event_type)),
      )
      if (filters.length === 0) continue
      const events = await eventsOf(`${CAPTURES}/${row[0]}`)
      for (const { count, match } of filters) {
        const wanted = Object.entries(match!).filter(([path]) => !IGNORED.has(path))
        if (!wanted.every(([path, want]) => OURS.test(path) && !isOlderShape(path, want))) {
          foreignCount++
          continue
        }
        const found = events.filter((event) => wanted.every(([path, want]) => equals(valueAt(event, path), want)))
        if (found.length === count || (count === undefined && found.length > 0)) metCount++
        else unmet.push(`${row[2]}: ${JSON.stringify(match)} want ${count}, found ${found.length}`)
      }
    }
    const total = metCount + unmet.length
    console.log(
      `expectations of Suricata: ${metCount} of ${total} about fields we give are met; ${foreignCount} are about others\n` +
        unmet.join('\n'),
    )
    expect(metCount / total).toBeGreaterThanOrEqual(THRESHOLD)
  }, 300_000)
})
