// The commands as a person runs them: exit codes, one helpful sentence, nothing half printed.
import { spawn, spawnSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { session13 } from '../decoders/seal-tls.ts'
import { SESSIONS, wellCapture } from '../fixtures/tls-key-log/inside.make.ts'
import { hasAddon, sayNotRun } from '../native/namespace.ts'

const MAIN = fileURLToPath(new URL('../../src/cli/main.ts', import.meta.url))
const HOOKS = new URL('../capture/typescript-hooks.mjs', import.meta.url).href
const EXAMPLE = fileURLToPath(new URL('../../examples/leak.pcapng', import.meta.url))

interface Ran {
  code: number | null
  out: string
  err: string
}

function run(args: readonly string[], input?: Uint8Array, env: NodeJS.ProcessEnv = {}): Promise<Ran> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', '--import', HOOKS, MAIN, ...args], {
      env: { ...process.env, NO_COLOR: '1', COLUMNS: '100', ...env },
    })
    let out = ''
    let err = ''
    child.stdout.on('data', (chunk) => {
      out += chunk
    })
    child.stderr.on('data', (chunk) => {
      err += chunk
    })
    child.on('error', reject)
    child.on('close', (code) => resolve({ code, out, err }))
    child.stdin.on('error', () => {})
    child.stdin.end(input)
  })
}

const folder = mkdtempSync(join(tmpdir(), 'tunnelscope-cli-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = (name: string, content: Uint8Array | string): string => {
  const path = join(folder, name)
  writeFileSync(path, content)
  return path
}
const example = readFileSync(EXAMPLE)

test('captures by -r, as for tcpdump, or none: one sentence', async () => {
  const named = await run(['packets', EXAMPLE])
  expect(await run(['packets', '-r', EXAMPLE])).toEqual(named)
  expect(await run(['packets', '-r', EXAMPLE, EXAMPLE])).toEqual({
    code: 2,
    out: '',
    err: `tunnelscope: ${EXAMPLE} stands behind -r, where a filter belongs: give each capture its own -r.\n`,
  })
  for (const command of ['analyze', 'events', 'packets']) {
    const { code, out, err } = await run([command])
    expect([code, out, err.split('\n')[0]]).toEqual([
      2,
      '',
      'error: name a pcap or pcapng capture, or - for standard input',
    ])
  }
})

test('a filter expression behind -r, in words or as one', async () => {
  if (!hasAddon) return sayNotRun('filter expressions of commands')
  const dns = (await run(['events', EXAMPLE])).out.match(/^.*"event_type":"dns".*$/gm)!
  for (const words of [['port', '53', 'and', 'udp'], ['port 53 and udp']]) {
    const { code, out } = await run(['events', '-r', EXAMPLE, ...words])
    expect([code, out.match(/^.*"event_type":"dns".*$/gm)]).toEqual([0, dns])
    expect(out).not.toContain('"event_type":"tls"')
  }
  const { code, out, err } = await run(['packets', '-r', EXAMPLE, '-c', '3', 'tcp'])
  expect([code, out.match(/\n/g)!.length, out.match(/ Flags \[/g)!.length, err]).toEqual([0, 3, 3, ''])
  expect((await run(['analyze', '-r', EXAMPLE, 'port', '53'])).out).toContain('The filter left out 149 of 171 packets.')
  expect(await run(['packets', '-r', EXAMPLE, 'prot', '53'])).toMatchObject({ code: 2, out: '' })
})

test('--html - is standard output, alone', async () => {
  const page = join(folder, 'page.html')
  expect(await run(['analyze', EXAMPLE, '--html', page])).toMatchObject({ code: 0, out: '' })
  expect(await run(['analyze', EXAMPLE, '--html', '-'])).toMatchObject({ code: 0, out: readFileSync(page, 'utf8') })
  expect(await run(['analyze', EXAMPLE, '--html', '-', '--json'])).toMatchObject({ code: 2, out: '' })
})

describe('check', () => {
  test.each([
    [['ftp://shop.example/?token=secret'], 'ftp://shop.example/: check opens http:// and https:// only.'],
    [['https://anna:secret@shop.example/'], 'a URL with a user name or password is not taken'],
    [['https://127.0.0.1/'], 'that is this machine itself'],
    [['https://shop.example/', '--timeout', '0'], 'give seconds from 2 to 120'],
    [['https://shop.example/', '--resolver', 'dns.example'], 'not an IP address'],
    [['https://shop.example/', '--fail-on', 'all'], 'no such severity'],
    [['https://shop.example/', '-w', '-'], 'standard output is for the report'],
  ])('%j is refused with one sentence, and nothing is sent', async (words, sentence) => {
    const { code, out, err } = await run(['check', ...words])
    expect({ code, out }).toEqual({ code: 2, out: '' })
    expect(err).toContain(sentence)
    expect(err).not.toContain('secret')
    expect(err.trim().split('\n')).toHaveLength(1)
  })
})

describe('analyze', () => {
  test('prints a report for a person, verdict first, and exits 0', async () => {
    const { code, out, err } = await run(['analyze', EXAMPLE])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    expect(out.split('\n')[0]).toMatch(/^MIXED {2}\d+ of \d+ DNS questions left outside the tunnel/)
    expect(out).toContain('dns-leak')
    expect(out.split('\n').every((line) => line.length <= 100)).toBe(true)
    expect(out).not.toContain('\x1b')
  })

  test('colours it when asked to, and only then', async () => {
    const { out } = await run(['analyze', EXAMPLE], undefined, { NO_COLOR: '', FORCE_COLOR: '1' })
    expect(out).toContain('\x1b[1;31mMIXED\x1b[0m')
  })

  test('--json is one report on standard output', async () => {
    const { code, out } = await run(['analyze', '--json', EXAMPLE])
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ tool: { name: 'tunnelscope' }, schema: 1, verdict: { dns: 'mixed' } })
  })

  test('standard input is an input like any other', async () => {
    const { code, out } = await run(['analyze', '--json', '-'], example)
    expect(code).toBe(0)
    expect(JSON.parse(out)).toMatchObject({ inputs: [{ file: '-' }], verdict: { dns: 'mixed' } })
  })

  test('--fail-on: 1 when a finding is as bad, 0 otherwise', async () => {
    expect((await run(['analyze', '--json', '--fail-on', 'critical', EXAMPLE])).code).toBe(1)
    expect((await run(['analyze', '--json', '--fail-on', 'warning', EXAMPLE])).code).toBe(1)
    expect((await run(['analyze', '--json', EXAMPLE])).code).toBe(0)
  })

  test('a cut capture is analysed up to the cut; exit 3 names file and byte, and wins over --fail-on', async () => {
    const cut = file('cut.pcapng', example.subarray(0, example.length - 7))
    const { code, out, err } = await run(['analyze', '--json', '--fail-on', 'info', cut])
    expect(code).toBe(3)
    expect(err).toMatch(/^tunnelscope: .*cut\.pcapng is damaged at byte \d+: .+\n$/)
    expect(JSON.parse(out)).toMatchObject({ verdict: { dns: 'mixed', complete: false } })
  })
})

describe('what the operator can mend: exit 2 and one sentence', () => {
  test.each([
    ['a missing file', ['analyze', '/nowhere/at/all.pcap'], /\/nowhere\/at\/all\.pcap/],
    ['an unknown interface', ['analyze', '--tunnel', 'wg9', EXAMPLE], /wg9.*there are: eth0, wg0/],
    ['an unknown severity', ['analyze', '--fail-on', 'loud', EXAMPLE], /info, warning or critical/],
    ['an address that is none', ['analyze', '--vpn-resolver', 'dns', EXAMPLE], /not an IP address/],
    ['a resolver that is none', ['analyze', '--doh', 'https://dns.example/', EXAMPLE], /neither a host name nor an IP/],
    ['one file named twice', ['analyze', EXAMPLE, EXAMPLE], /named twice/],
    ['one file by two names', ['analyze', EXAMPLE, `${dirname(EXAMPLE)}/./${basename(EXAMPLE)}`], /the same file as/],
    [
      'secrets for the store',
      ['compare', '--epochs', '1', '2', '--keylog', EXAMPLE],
      /the store has no packets to open/,
    ],
    [
      'a site that is not in the capture',
      ['compare', EXAMPLE, '--site', 'shop.example'],
      /--site shop\.example: not seen there; seen was (\S+, )+\S+\.\n/,
    ],
    ['a bad count', ['packets', '-c', 'x', EXAMPLE], /-c x/],
    ['a folder', ['events', tmpdir()], /folder|directory/],
    [
      'a dashboard of no daemon',
      ['dashboard', '--socket', '/nowhere/api.sock'],
      /^tunnelscope: Nothing answers at \/nowhere\/api\.sock \(ENOENT\)/,
    ],
    [
      'a port that is none',
      ['tail', '--url', 'http://127.0.0.1:65536', '--token-file', 'x'],
      /give a loopback address/,
    ],
  ])('%s', async (_, args, message) => {
    const { code, out, err } = await run(args)
    expect(code).toBe(2)
    expect(out).toBe('')
    expect(err).toMatch(message)
    expect(err.trimEnd().split('\n')).toHaveLength(1)
    expect(err).not.toMatch(/ at .*\.ts/)
  })

  test('a text file', async () => {
    const { code, err } = await run(['analyze', file('notes.txt', 'dear diary, nothing leaked today\n')])
    expect(code).toBe(2)
    expect(err).toContain('notes.txt')
  })

  test('a file name with control characters cannot move the cursor', async () => {
    const { err } = await run(['analyze', '/nowhere/\x1b[2J\x07.pcap'])
    expect(err).not.toMatch(/[\x1b\x07]/)
  })
})

test.each([
  ['a missing argument', ['analyze'], 'analyze'],
  ['an unknown option', ['packets', '--raw', EXAMPLE], 'packets'],
  ['a missing option', ['export', '--finding', '1'], 'export'],
])('%s points to the help of that command', async (_, args, command) => {
  const { code, err } = await run(args)
  expect(code).toBe(2)
  expect(err).toContain(`(tunnelscope ${command} --help lists its options)`)
})

test.each([[['analyz']], [['help', 'analyz']]])('%j: no such command, and the one that was meant', async (words) => {
  expect(await run(words)).toEqual({
    code: 2,
    out: '',
    err: "error: unknown command 'analyz'\n(Did you mean analyze?)\n(tunnelscope --help lists the commands)\n",
  })
})

test('a standard error that nobody reads changes no exit code', async () => {
  const cut = file('cut-unread.pcapng', example.subarray(0, example.length - 7))
  const child = spawn(process.execPath, [
    '--disable-warning=ExperimentalWarning',
    '--import',
    HOOKS,
    MAIN,
    'packets',
    cut,
  ])
  child.stderr.destroy()
  child.stdout.resume()
  expect(await new Promise((resolve) => child.on('close', resolve))).toBe(3)
})

test('the help names no empty default', async () => {
  const { code, out } = await run(['analyze', '--help'])
  expect(code).toBe(0)
  expect(out).toContain('(repeatable)')
  expect(out).not.toContain('[])')
})

describe('events and packets', () => {
  test('events are EVE lines, each with its file', async () => {
    const { code, out } = await run(['events', EXAMPLE])
    expect(code).toBe(0)
    const events = out
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(new Set(events.map((event) => event.event_type))).toEqual(new Set(['dns', 'tls', 'flow']))
    expect(events.every((event) => event.pcap_filename === EXAMPLE)).toBe(true)
  })

  test('of several files a bad one is told and the rest goes on; exit 3', async () => {
    const text = file('no-capture.bin', 'x'.repeat(100))
    const { code, out, err } = await run(['packets', text, EXAMPLE])
    expect(code).toBe(3)
    expect(err).toContain('no-capture.bin')
    expect(out.split('\n').length).toBeGreaterThan(10)
  })

  test('packets -c stops after that many', async () => {
    const { code, out } = await run(['packets', '-c', '3', EXAMPLE, EXAMPLE])
    expect(code).toBe(0)
    expect(out.trimEnd().split('\n')).toHaveLength(3)
  })
})

describe('--keylog', () => {
  const INSIDE = fileURLToPath(new URL('../fixtures/tls-key-log/inside.pcapng', import.meta.url))
  const KEYS = file('keys.log', `# as the programs wrote them\n${SESSIONS.map(({ keyLog }) => keyLog).join('')}`)
  const RANDOM = /[0-9a-f]{64}/

  test('analyze reads what is inside TLS, and its report holds no secret', async () => {
    const closed = await run(['analyze', '--json', INSIDE])
    const open = await run(['analyze', '--json', '--keylog', KEYS, INSIDE])
    const ids = ({ out }: Ran) => JSON.parse(out).findings.map(({ id }: { id: string }) => id)
    expect(ids(closed)).not.toContain('http-gateway-error')
    expect(ids(open)).toEqual(expect.arrayContaining(['http-gateway-error', 'http-refused', 'tls-alert']))
    expect({ code: open.code, err: open.err }).toEqual({ code: 0, err: '' })
    expect(open.out).not.toMatch(RANDOM)
  })

  test('the secrets inside a capture are used when they are asked for', async () => {
    const closed = await run(['events', INSIDE])
    const open = await run(['events', '--keylog', 'capture', INSIDE])
    const statuses = ({ out }: Ran) => [...out.matchAll(/"status":(\d+)/g)].map(([, status]) => status)
    expect(statuses(closed)).toEqual([])
    expect(statuses(open)).toEqual(['200', '502', '403'])
    expect(open.err).toBe('')
    // A file of that name is one all the same.
    const { code, err } = await run(['events', '--keylog', './capture', INSIDE])
    expect([code, err]).toEqual([2, 'tunnelscope: --keylog ./capture: no such file or directory.\n'])
  })

  test('compare holds the answers inside TLS against each other', async () => {
    const well = file('well.pcapng', wellCapture())
    const { code, out, err } = await run(['compare', '--json', '--keylog', 'capture', well, INSIDE])
    expect({ code, err }).toEqual({ code: 0, err: '' })
    const one = JSON.parse(out).sites.find(({ host }: { host: string }) => host === 'www.example.com')
    expect(one).toMatchObject({ verdict: 'differs', difference: { stage: 'http', basis: 'RFC 9110 15.6.3' } })
    expect(one.summary).toMatch(
      /^502 came from edge at 198\.51\.100\.80, via 1\.1 edge through the VPN .*, and 200 from /,
    )
  })

  test('the report may be redacted as any other', async () => {
    const { out } = await run(['analyze', '--json', '--redact', '--keylog', KEYS, INSIDE])
    expect(out).not.toContain('example.com')
  })

  test('what opens nothing is told once, and changes nothing', async () => {
    const other = file('other.log', `${session13({ name: 'elsewhere' }).keyLog}no line of a log\n`)
    const plain = await run(['analyze', '--json', INSIDE])
    const { code, out, err } = await run(['analyze', '--json', '--keylog', other, INSIDE])
    expect([code, out]).toEqual([0, plain.out])
    expect(err).toBe(
      'tunnelscope: --keylog: 1 line is not of a key log and told nothing.\n' +
        'tunnelscope: --keylog: the secrets of the connection open nothing here; the start of a connection must be in the capture.\n',
    )
    const none = await run(['events', '--keylog', 'capture', EXAMPLE])
    expect(none.err).toMatch(/^tunnelscope: --keylog: there are no secrets; .*\n$/)
  })

  test.each([['analyze'], ['events'], ['compare']])('%s refuses a file that never ends', async (command) => {
    const { code, out, err } = await run([command, '--keylog', '/dev/zero', INSIDE])
    expect([code, out]).toEqual([2, ''])
    expect(err).toMatch(/^tunnelscope: --keylog \/dev\/zero: more than 64 MB; .*\n$/)
  })
})

test('a full disk behind standard output is the operator’s to mend, not a finding', () => {
  const full = openSync('/dev/full', 'w')
  const { status, stderr } = spawnSync(
    process.execPath,
    ['--disable-warning=ExperimentalWarning', '--import', HOOKS, MAIN, 'analyze', '--json', EXAMPLE],
    { stdio: ['ignore', full, 'pipe'], encoding: 'utf8' },
  )
  closeSync(full)
  expect({ status, stderr }).toEqual({
    status: 2,
    stderr: 'tunnelscope: standard output cannot be written (ENOSPC); make room or write elsewhere.\n',
  })
})

test('a name that is taken for an option or a command is told without acting on the terminal', async () => {
  for (const args of [['analyze', '-\x1b[2J\u009b'], ['analyse\x1b[2J\u009b']]) {
    const ran = await run(args)
    expect(ran).toMatchObject({ code: 2, err: expect.stringContaining('\\x1b[2J\\x9b') })
    expect(ran.err).not.toMatch(/[\x1b\u009b]/)
  }
})
