// Evidence: the finding's packets and what is around them, nothing secret, bounded in memory and on disk.
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openCaptures } from '../../src/capture/open-captures.ts'
import { LINKTYPE_RAW } from '../../src/constants/wire.ts'
import { blankPayload } from '../../src/daemon/blank-payload.ts'
import { EvidenceKeeper, type EvidenceOptions, evidenceFilter } from '../../src/daemon/evidence.ts'
import { evidenceName, trimEvidence } from '../../src/daemon/evidence-files.ts'
import { analyze, drain } from '../../src/daemon/pipeline.ts'
import type { CaptureInterface } from '../../src/model/capture-interface.ts'
import type { Finding } from '../../src/model/finding.ts'
import type { NetworkContext } from '../../src/model/network-context.ts'
import { tcpPacket, udpPacket } from '../fixtures/frames.ts'
import { memorySource } from '../memory-source.ts'
import { networkContext } from '../network-story.ts'
import { dnsQuery } from '../support/dns-query.ts'
import { sayNotRun } from '../support/not-run.ts'

const hasTshark = spawnSync('tshark', ['--version']).status === 0
const text = new TextEncoder()
const START = 1_700_000_000_000_000
const client = { address: '192.0.2.7', port: 40_000 }
const resolver = { address: '198.51.100.53', port: 53 }
const web = { address: '203.0.113.80', port: 80 }

const network: NetworkContext = {
  timeMicros: START,
  changes: [],
  interfaces: [],
  routes: [],
  rules: [],
  dnsServers: [],
  searchDomains: [],
  egress: [],
  tunnels: [],
  endpoints: [],
  routesCut: false,
}

let directory = ''
const told: string[] = []
beforeEach(() => {
  directory = join(mkdtempSync(join(tmpdir(), 'tunnelscope-evidence-')), 'evidence')
  told.length = 0
})
afterEach(() => rmSync(join(directory, '..'), { recursive: true, force: true }))

function keeper(changes: Partial<EvidenceOptions> = {}): EvidenceKeeper {
  const options = {
    directory,
    memoryLen: 1 << 20,
    seconds: 10,
    blank: true,
    maxAgeMicros: 1e12,
    maxBytes: 1e9,
    ...changes,
  }
  const kept = new EvidenceKeeper(options, 'tunnelscope test', (sentence) => told.push(sentence))
  kept.noteNetwork(network)
  return kept
}

function findingOf(frames: number[], changes: Partial<Finding> = {}): Finding {
  return {
    id: 'dns-leak',
    severity: 'critical',
    confidence: 'proven',
    basis: 'RFC 1035',
    key: 'app.example',
    epoch: 1,
    time: '2023-11-14T22:13:20.000000+0000',
    last: '2023-11-14T22:13:20.000000+0000',
    count: frames.length,
    summary: 'app.example was asked outside the tunnel',
    advice: 'do something',
    data: {},
    evidence: frames.map((frame) => ({ source: 'live', frame })),
    filter: 'dns.flags.response == 0 && ip.dst == 198.51.100.53',
    ...changes,
  }
}

/** Feeds packets, a millisecond apart, then lets what is due be written. */
async function keep(kept: EvidenceKeeper, packets: readonly Uint8Array[], findings: readonly Finding[]): Promise<void> {
  const source = memorySource(
    packets.map((bytes, index) => ({ bytes, timeMicros: START + index * 1000, linkType: LINKTYPE_RAW })),
    [{ name: 'eth0', linkType: LINKTYPE_RAW }],
  )
  await drain(source, (batch, out) => kept.add(batch, out))
  kept.note(findings, START + 1000)
  kept.tick(START + 500_000, source.interfaces)
  expect(readdirSync(directory)).toEqual([])
  for (let turn = 0; turn < findings.length; turn++) kept.tick(START + 2_000_000 + turn * 200_000, source.interfaces)
}

const http = (payload: string, seq = 1, flags = 0x18) =>
  tcpPacket(client, web, { seq, flags, payload: text.encode(payload) })
const reply = (payload: string, seq = 1) => tcpPacket(web, client, { seq, flags: 0x18, payload: text.encode(payload) })
const query = () => udpPacket(client, resolver, dnsQuery('app.example'))

const secretPackets = [
  http('GET /page?token=SECRET1 HTTP/1.1\r\nHost: shop.example\r\nCookie: id=SECRET2\r\nX-Long: SECR'),
  http('ET3 and more\r\nCookie: late=SECRET3\r\n\r\n', 90),
  http(
    'POST http://me:SECRET4@shop.example/a;s=SECRET4?x=SECRET4 HTTP/1.1\r\nauthorization: Basic SECRET5\r\n folded SECRET5\r\n\r\npassword=SECRET6',
    200,
  ),
  reply(
    'HTTP/1.1 302 Found\r\nServer: nginx\r\nSet-Cookie: SECRET7\r\nLocation: /x?SECRET8\r\nVia: 1.1 edge\r\n\r\nSECRET9',
  ),
  http('\x17SECRET10 binary'),
  http('CONNECT h.example:443 HTTP/1.1\r\nProxy-Authorization: SECRET11\r\n\r\n', 300),
]

describe('what is written', () => {
  test('is the finding’s packets with their context, readable for the owner only', async () => {
    const finding = findingOf([2])
    await keep(
      keeper(),
      [http('GET / HTTP/1.1\r\nHost: a.example\r\n\r\n'), query(), reply('HTTP/1.1 200 OK\r\n\r\n')],
      [finding],
    )
    expect(readdirSync(directory)).toEqual([evidenceName(finding)])
    expect(statSync(directory).mode & 0o777).toBe(0o700)
    expect(statSync(join(directory, evidenceName(finding))).mode & 0o777).toBe(0o600)
    const bytes = readFileSync(join(directory, evidenceName(finding)), 'latin1')
    expect(bytes).toContain('tunnelscope finding dns-leak (critical, proven): app.example was asked outside the tunnel')
    expect(bytes).toContain('tunnelscope-context {')
    expect(told).toEqual([])
  })

  test('has the network as it was before, at and after the packets, whatever it is when the file is written', async () => {
    const kept = keeper()
    const told = (seconds: number, change: string, tunnel?: 'up') =>
      kept.noteNetwork(
        networkContext({ timeMicros: START + seconds * 1e6, changes: [change], ...(tunnel && { tunnel }) }),
      )
    told(-60, 'long ago')
    told(-11, 'tunnel up', 'up')
    told(-1, 'tunnel lost')
    told(0.0005, 'between two packets')
    told(1, 'tunnel up again', 'up')
    const finding = findingOf([2])
    await keep(kept, [query(), query()], [finding])
    const source = await openCaptures([join(directory, evidenceName(finding))])
    const options = { version: 'test', tunnels: [], physicals: [], vpnResolvers: [] }
    const report = (await analyze(source, options)).report()
    await source.close()
    const changes = source.annex.contexts?.map((context) => context.changes[0])
    expect(changes).toEqual(['tunnel up', 'tunnel lost', 'between two packets', 'tunnel up again'])
    expect(report.findings.map(({ id }) => id)).toContain('dns-leak-window')
  })

  test('holds no cookie, authorization, query or body, also in pieces; what matters stays', async () => {
    const finding = findingOf([7])
    await keep(keeper(), [...secretPackets, query()], [finding])
    const bytes = readFileSync(join(directory, evidenceName(finding)), 'latin1')
    expect(bytes).not.toMatch(/SECR|ET3/)
    for (const kept of [
      'GET /page?xxxxx',
      'Host: shop.example',
      'HTTP/1.1 302 Found',
      'Server: nginx',
      'Via: 1.1 edge',
      '@shop.example/a;xxx',
      'CONNECT h.example:443',
    ]) {
      expect(bytes).toContain(kept)
    }
  })

  test('is left as it was when the operator says so', async () => {
    const finding = findingOf([7])
    await keep(keeper({ blank: false }), [...secretPackets, query()], [finding])
    expect(readFileSync(join(directory, evidenceName(finding)), 'latin1')).toContain('token=SECRET1')
  })

  test('an ICMP error that quotes a request keeps its ports only', async () => {
    const quoted = http('GET /?SECRET HTTP/1.1\r\n')
    const icmp = Uint8Array.of(3, 4, 0, 0, 0, 0, 5, 0x84, ...quoted)
    const packet = Uint8Array.from([
      0x45,
      0,
      0,
      20 + icmp.length,
      0,
      0,
      0,
      0,
      64,
      1,
      0,
      0,
      192,
      0,
      2,
      1,
      192,
      0,
      2,
      7,
      ...icmp,
    ])
    const finding = findingOf([1])
    await keep(keeper(), [packet], [finding])
    const bytes = readFileSync(join(directory, evidenceName(finding)))
    expect(bytes.toString('latin1')).not.toContain('SECRET')
    expect(bytes.includes(Buffer.from(quoted.subarray(0, 40)))).toBe(true)
  })

  test('TLS stays whole over its segments, the proxy’s CONNECT before it does not', async () => {
    const hello = tcpPacket(client, web, {
      seq: 400,
      flags: 0x18,
      payload: Uint8Array.of(0x16, 3, 1, 4, 0, ...text.encode('HELLO')),
    })
    const rest = tcpPacket(client, web, { seq: 410, flags: 0x18, payload: text.encode('SERVERNAME') })
    const finding = findingOf([3])
    await keep(keeper(), [secretPackets[5]!, hello, rest], [finding])
    const bytes = readFileSync(join(directory, evidenceName(finding)), 'latin1')
    expect(bytes).toContain('SERVERNAME')
    expect(bytes).not.toContain('SECRET')
  })

  if (!hasTshark) test('tshark did not read it', () => sayNotRun('tshark on exported files', 'tshark'))
  else {
    test('tshark reads it, and the finding’s filter selects exactly its packets', async () => {
      const finding = findingOf([2, 4])
      await keep(
        keeper(),
        [http('GET / HTTP/1.1\r\n\r\n'), query(), reply('HTTP/1.1 200 OK\r\n\r\n'), query(), http('x')],
        [finding],
      )
      const frames = (filter: string) => {
        const words = [
          '-r',
          join(directory, evidenceName(finding)),
          '-Y',
          filter,
          '-T',
          'fields',
          '-e',
          'frame.number',
          '-e',
          'frame.interface_name',
        ]
        return spawnSync('tshark', words, { encoding: 'utf8' }).stdout.trim().split('\n')
      }
      expect(frames(finding.filter!)).toEqual(['2\teth0', '4\teth0'])
      expect(frames(evidenceFilter(finding))).toEqual(['2\teth0', '4\teth0'])
      expect(frames('frame')).toHaveLength(5)
    })
  }
})

describe('bounds', () => {
  test('packets that are gone from memory give no file, and memory stays what it was', async () => {
    const many = Array.from({ length: 3000 }, () => query())
    await keep(keeper({ memoryLen: 32 << 10 }), many, [findingOf([1]), findingOf([2999], { key: 'other' })])
    expect(readdirSync(directory)).toEqual([evidenceName(findingOf([], { key: 'other' }))])
  })

  test('a file has at most 512 packets, the closest ones', async () => {
    const finding = findingOf([1000])
    await keep(
      keeper(),
      Array.from({ length: 2000 }, () => query()),
      [finding],
    )
    const words = ['-r', join(directory, evidenceName(finding)), '-T', 'fields', '-e', 'frame.time_epoch']
    if (!hasTshark) return
    const times = spawnSync('tshark', words, { encoding: 'utf8' }).stdout.trim().split('\n').map(Number)
    expect(times).toHaveLength(512)
    expect(times).toContain((START + 999_000) / 1e6)
  })

  test('a finding is written once, however often it grows', async () => {
    const kept = keeper()
    await keep(kept, [query()], [findingOf([1])])
    rmSync(join(directory, evidenceName(findingOf([1]))))
    kept.note([findingOf([1], { count: 9 })], START)
    kept.tick(START + 9_000_000, [])
    expect(readdirSync(directory)).toEqual([])
  })

  test('packets that come after its file was written are added, unless those in it are gone from memory', async () => {
    const kept = keeper({ memoryLen: 32 << 10 })
    const commentsOf = (finding: Finding) =>
      readFileSync(join(directory, evidenceName(finding)), 'latin1').split('tunnelscope finding dns-leak (').length - 1
    const many = Array.from({ length: 20 }, () => query())
    await keep(kept, many, [findingOf([2])])
    expect(commentsOf(findingOf([2]))).toBe(1)
    kept.note([findingOf([2, 7, 9])], START + 2_500_000)
    kept.tick(START + 4_000_000, [{ name: 'eth0', linkType: LINKTYPE_RAW } as CaptureInterface])
    expect(commentsOf(findingOf([2]))).toBe(3)
    const flood = memorySource(
      Array.from({ length: 3000 }, (_, index) => ({
        bytes: query(),
        timeMicros: START + 5e6 + index,
        linkType: LINKTYPE_RAW,
      })),
      [{ name: 'eth0', linkType: LINKTYPE_RAW }],
    )
    await drain(flood, (batch, out) => kept.add(batch, out))
    kept.note([findingOf([2, 7, 9, 3000])], START + 6e6)
    kept.tick(START + 9e6, flood.interfaces)
    expect(commentsOf(findingOf([2]))).toBe(3)
    expect(readdirSync(directory)).toHaveLength(1)
  })

  test('old files go, then the oldest beyond the size; others are left alone', () => {
    rmSync(directory, { recursive: true, force: true })
    keeper()
    const now = 1_800_000_000
    const names = [1, 2, 3, 4].map((n) => `20231114T221320-dns-leak-00000000000${n}.pcapng`)
    for (const [index, name] of [...names, 'mine.pcapng'].entries()) {
      writeFileSync(join(directory, name), 'x'.repeat(100))
      utimesSync(join(directory, name), now, now - index * 100)
    }
    trimEvidence(directory, { maxAgeMicros: 250e6, maxBytes: 250 }, now * 1e6)
    expect(readdirSync(directory).sort()).toEqual([names[0], names[1], 'mine.pcapng'])
  })

  test('a directory that cannot be written is told once and stops nothing', async () => {
    writeFileSync(join(directory, '..', 'file'), '')
    const kept = keeper({ directory: join(directory, '..', 'file', 'below') })
    kept.note([findingOf([1])], START)
    kept.tick(START + 9e6, [])
    kept.tick(START + 99e6, [])
    expect(told).toHaveLength(1)
    expect(told[0]).toMatch(/^no evidence is kept: .*: not a directory$/)
  })
})

test('a full disk: no half file is left, it is told once, and kept again when there is room', async () => {
  const disk = mkdtempSync(join(tmpdir(), 'tunnelscope-evidence-disk-'))
  if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'tunnelscope-test', disk]).status !== 0) {
    rmSync(disk, { recursive: true })
    return sayNotRun('evidence on a full disk', 'root')
  }
  try {
    directory = join(disk, 'evidence')
    const kept = keeper()
    writeFileSync(join(disk, 'filler'), Buffer.alloc(56 << 10))
    const many = Array.from({ length: 400 }, () => query())
    const [first, second] = [findingOf([100]), findingOf([200], { key: 'second' })]
    await keep(kept, many, [first, second])
    expect(readdirSync(directory)).toEqual([])
    expect(told).toEqual([expect.stringMatching(/^no evidence is kept: .*full/)])
    rmSync(join(disk, 'filler'))
    const third = findingOf([300], { key: 'third' })
    kept.note([third], START)
    kept.tick(START + 9_000_000, [{ name: 'eth0', linkType: LINKTYPE_RAW } as CaptureInterface])
    expect(readdirSync(directory)).toEqual([evidenceName(third)])
  } finally {
    spawnSync('umount', [disk])
    rmSync(disk, { recursive: true })
  }
})

describe('a clock that is set', () => {
  test('back: what waited is written at once, and what comes is written in its time', async () => {
    const kept = keeper()
    const hour = 3600e6
    const play = async (from: number, finding: Finding) => {
      const source = memorySource(
        [{ bytes: query(), timeMicros: from, linkType: LINKTYPE_RAW }],
        [{ name: 'eth0', linkType: LINKTYPE_RAW }],
      )
      await drain(source, (batch, out) => kept.add(batch, out))
      kept.note([finding], from)
      kept.tick(from, source.interfaces)
      return source
    }
    const before = await play(START, findingOf([1]))
    expect(readdirSync(directory)).toEqual([])
    kept.startAnew(before.interfaces)
    expect(readdirSync(directory)).toHaveLength(1)
    const after = await play(START - hour, findingOf([1], { key: 'later', time: '2023-11-14T21:13:20.000000+0000' }))
    expect(readdirSync(directory)).toHaveLength(1)
    kept.tick(START - hour + 1_100_000, after.interfaces)
    expect(readdirSync(directory)).toHaveLength(2)
  })

  test('forward by ten years: nothing is deleted until it has stood for six hours', () => {
    keeper()
    const file = join(directory, '20231114T221320-dns-leak-000000000001.pcapng')
    writeFileSync(file, 'x')
    let wall = Date.now()
    let uptime = 1_000_000
    const clocks = { wallMillis: () => wall, steadyMillis: () => uptime, uptimeMillis: () => uptime }
    const options = {
      directory,
      memoryLen: 1 << 20,
      seconds: 10,
      blank: true,
      maxAgeMicros: 7 * 86_400e6,
      maxBytes: 1e9,
    }
    const kept = new EvidenceKeeper(options, 'tunnelscope test', (sentence) => told.push(sentence), clocks)
    const pass = (millis: number, leapMillis = 0) => {
      uptime += millis
      wall += millis + leapMillis
      kept.tick(wall * 1000, [])
    }
    pass(60_000)
    pass(60_000, 10 * 365 * 86_400_000)
    expect(readdirSync(directory)).toHaveLength(1)
    pass(5 * 3_600_000)
    expect(readdirSync(directory)).toHaveLength(1)
    pass(3_600_000)
    expect(readdirSync(directory)).toEqual([])
    expect(told).toEqual([])
  })
})

test('blanking never changes a length, at any cut', () => {
  const whole = text.encode('GET /a?b=SECRET HTTP/1.1\r\nHost: h\r\nCookie: SECRET\r\n\r\nSECRET')
  for (let from = 0; from < whole.length; from++) {
    for (let to = from; to <= whole.length; to++) {
      const bytes = whole.slice(0)
      blankPayload(bytes, from, to, false)
      const shown = Buffer.from(bytes.subarray(from, to)).toString('latin1')
      expect(shown).not.toMatch(/SECRET|RET HTTP|=S|: S/)
      expect(bytes.length).toBe(whole.length)
    }
  }
})
