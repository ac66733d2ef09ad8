// `check` in network namespaces: that every way leaves by its interface, that servers and resolvers who mean harm keep it
// neither long nor busy, what it says then, and what it may do meanwhile.
import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Asked } from '../../src/check/ask.ts'
import type { FetchOutcome } from '../../src/check/fetch.ts'
import { parseThread } from '../../src/daemon/privileges.ts'
import type { CheckReport } from '../../src/model/check.ts'
import { canMakeNamespaces, Namespace, type Program, sayNotRun } from '../native/namespace.ts'
import { compiled } from '../support/compiled.ts'

const SITE = '198.51.100.80'
const NEAR = { v0: '192.0.2.10', v1: '203.0.113.10' }
const FAR = { v0: '192.0.2.1', v1: '203.0.113.1' }
/** Two images of Node on a machine that runs other tests meanwhile, and the check itself. */
const RUN_MILLIS = 60_000
const CAP_NET_RAW = 1n << 13n
const NOBODY = 65_534

const namespaces: Namespace[] = []
let folder: string

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'tunnelscope-check-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))
afterEach(() => {
  for (const one of namespaces.splice(0)) {
    one.remove()
    rmSync(`/etc/netns/${one.name}`, { recursive: true, force: true })
  }
})

const program = (name: string) => fileURLToPath(new URL(`./programs/${name}`, import.meta.url))
const main = () => compiled('src/cli/main.ts')

/** A machine with two lines, v0 and v1, v0 being the one that the routes choose; the same address is a host behind each. */
function machine(resolver = FAR.v0): { near: Namespace; one: Namespace; two: Namespace } {
  const [near, one, two] = [new Namespace(), new Namespace(), new Namespace()]
  namespaces.push(near, one, two)
  for (const { name } of [near, one, two]) {
    const set = [
      'net.ipv6.conf.all.disable_ipv6=1',
      'net.ipv4.conf.all.rp_filter=0',
      'net.ipv4.conf.default.rp_filter=0',
    ]
    execFileSync('ip', ['netns', 'exec', name, 'sysctl', '-qw', ...set])
  }
  for (const [line, far, metric] of [
    ['v0', one, 100],
    ['v1', two, 200],
  ] as const) {
    near.cable(line, far, 'w0')
    near.ip(`addr add ${NEAR[line]}/24 dev ${line}`)
    near.ip(`route add default via ${FAR[line]} metric ${metric}`)
    far.ip(`addr add ${FAR[line]}/24 dev w0`)
    far.ip(`addr add ${SITE}/32 dev lo`)
  }
  mkdirSync(`/etc/netns/${near.name}`, { recursive: true })
  writeFileSync(`/etc/netns/${near.name}/resolv.conf`, `nameserver ${resolver}\n`)
  return { near, one, two }
}

async function serve(where: Namespace, name: string, status: number, ...more: string[]): Promise<Program> {
  const server = where.start(process.execPath, [program('site.mjs'), name, `${status}`, ...more])
  await server.says('listening')
  return server
}

async function resolve(where: Namespace, address: string, answer = SITE): Promise<void> {
  await where.start(process.execPath, [program('resolver.mjs'), address, answer]).says('listening')
}

interface Ran {
  code: number | null
  out: string
  err: string
  report: () => CheckReport
}

async function check(near: Namespace, ...words: string[]): Promise<Ran> {
  const run = near.start(process.execPath, [main(), 'check', ...words])
  const code = await run.ends()
  return { code, out: run.output, err: run.errors, report: () => JSON.parse(run.output) as CheckReport }
}

/** What programs/go.ts says. */
interface Gone<T> {
  made: { made: T; millis: number }[]
  leftOpen: number
  megabytes: number
}

async function go<T>(near: Namespace, ...words: string[]): Promise<Gone<T>> {
  const loader = fileURLToPath(new URL('../native/register-typescript.mjs', import.meta.url))
  return near.start(process.execPath, ['--import', loader, program('go.ts'), ...words]).result<Gone<T>>()
}

const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

if (!canMakeNamespaces) {
  test('check, live', () => sayNotRun('live tests of check'))
} else {
  test(
    'every way leaves by its interface: two servers at one address, one behind each line',
    async () => {
      const { near, one, two } = machine()
      const [first, second] = [await serve(one, 'first', 200), await serve(two, 'second', 502)]
      await resolve(one, FAR.v0)
      const file = join(folder, 'two-lines.pcapng')
      const ran = await check(near, `http://shop.example/cart?id=secret`, '--json', '-w', file)
      expect({ code: ran.code, err: ran.err }).toMatchObject({ code: 0, err: expect.stringContaining('What is sent') })
      const report = ran.report()
      expect(report.ways.map((way) => [way.interface, way.status, way.server, way.outcome])).toEqual([
        ['v0', 200, 'first', 'works'],
        ['v1', 502, 'second', 'fails'],
      ])
      // Each server has seen the address of its own line only, one request, and nothing of the person's.
      for (const [server, line] of [
        [first, 'v0'],
        [second, 'v1'],
      ] as const) {
        const seen = server.output
          .split('\n')
          .flatMap((text) => (text.startsWith('seen ') ? [JSON.parse(text.slice(5))] : []))
        expect(seen).toEqual([
          {
            from: NEAR[line],
            url: '/cart?id=secret',
            headers: {
              host: 'shop.example',
              'user-agent': expect.stringMatching(/^tunnelscope\/\S+ \(check\)$/),
              accept: '*/*',
              connection: 'close',
            },
          },
        ])
      }
      expect(report.verdict).toMatchObject({ word: 'differs', complete: true })
      expect(report.sites[0]).toMatchObject({
        changed: ['interface'],
        difference: { axis: 'gateway', confidence: 'proven' },
      })
      expect(report).toMatchObject({ schema: 1, url: 'http://shop.example/cart', capture: { dropped: 0, file } })
      expect(report.ways[0]!.observation!.evidence[0]).toMatchObject({ source: file })
      // The query is in the request and nowhere else; what is kept is for its owner.
      expect(ran.out + ran.err).not.toContain('secret')
      expect(readFileSync(file).includes('secret')).toBe(false)
      expect(statSync(file).mode & 0o777).toBe(0o600)
      const analysed = near.start(process.execPath, [main(), 'analyze', '--json', file])
      expect(await analysed.ends()).toBe(0)
      const { sites } = JSON.parse(analysed.output) as { sites: { host: string; http?: { status: number } }[] }
      expect(sites).toMatchObject([{ host: 'shop.example', http: { status: 502 } }])
    },
    RUN_MILLIS,
  )

  test(
    'a certificate that nobody knows is reported, one of --ca is trusted, and what lies behind either is seen',
    async () => {
      const { near, one } = machine()
      const [key, certificate] = [join(folder, 'key.pem'), join(folder, 'certificate.pem')]
      const subject = ['-subj', '/CN=shop.example', '-addext', 'subjectAltName=DNS:shop.example']
      execFileSync(
        'openssl',
        [
          'req',
          '-x509',
          '-newkey',
          'rsa:2048',
          '-nodes',
          '-keyout',
          key,
          '-out',
          certificate,
          '-days',
          '2',
          ...subject,
        ],
        { stdio: 'ignore' },
      )
      await serve(one, 'first', 200, key, certificate)
      await resolve(one, FAR.v0)
      const unknown = (await check(near, 'shop.example/moved', '-i', 'v0', '--json')).report()
      expect(unknown.ways[0]).toMatchObject({ status: 200, tls: 'TLS 1.3', outcome: 'works' })
      expect(unknown.certificates).toMatchObject([
        { subject: 'CN=shop.example', issuer: 'CN=shop.example', fault: 'it is signed by itself' },
      ])
      // Where it leads is told without credentials and query, and not gone to.
      expect(unknown.ways[0]!.observation!.request!.location).toBe('https://other.example/there')
      const trusted = (await check(near, 'shop.example', '-i', 'v0', '--json', '--ca', certificate)).report()
      expect(trusted.certificates).toEqual([expect.not.objectContaining({ fault: expect.anything() })])
      const wrongName = (await check(near, `https://${SITE}/`, '-i', 'v0', '--json', '--ca', certificate)).report()
      expect(wrongName.certificates[0]!.fault).toBe('it is for other names')
      expect(wrongName.ways[0]).toMatchObject({ address: SITE, outcome: 'works' })
      expect(wrongName.ways[0]).not.toHaveProperty('resolver')
    },
    RUN_MILLIS * 2,
  )

  test(
    'servers who mean harm: each ends in its time, with what happened, and nothing stays open',
    async () => {
      const { near, one } = machine()
      await serve(one, 'first', 200)
      const cases: [url: string, stage: string, fault: RegExp | undefined][] = [
        ['http://SITE:8001/', 'answer', /headers are longer than 16 KiB/],
        ['http://SITE:8002/', 'answer', /no answer to the request within 2 s/],
        ['http://SITE:8003/', 'done', undefined],
        ['https://SITE:8004/', 'tls', /no TLS/],
        ['http://SITE:8004/', 'answer', /no HTTP/],
        ['https://SITE:8005/', 'tls', /TLS did not come to its end within 2 s/],
        ['http://SITE:8005/', 'answer', /no answer to the request/],
        ['https://SITE:8006/', 'tls', /closed in the TLS handshake|reset/],
        ['http://SITE:8006/', 'answer', /closed without an answer/],
        ['http://SITE:8007/', 'answer', /interim answers without end/],
        ['http://SITE:8008/', 'body', /no HTTP/],
        ['http://SITE:8009/', 'body', /did not come to its end/],
        ['http://SITE:8010/', 'connect|answer', /reset|closed/],
        ['http://SITE:8011/', 'answer', /no HTTP/],
        ['http://SITE:8012/', 'done', undefined],
        ['http://SITE:8013/', 'done', undefined],
        ['http://SITE:9/', 'connect', /refused/],
        ['http://192.0.2.77/', 'connect', /cannot be reached|no answer to the connection within 1 s/],
      ]
      const urls = cases.map(([url]) => url.replace('SITE', SITE))
      const { made, leftOpen, megabytes } = await go<FetchOutcome>(near, 'fetch', 'v0', '2000', ...urls)
      const said = made.map(({ made: { request } }, index) => [cases[index]![0], request.stage, request.fault])
      expect(said).toEqual(
        cases.map(([url, stage, fault]) => [
          url,
          expect.stringMatching(`^(${stage})$`),
          fault === undefined ? undefined : expect.stringMatching(fault),
        ]),
      )
      expect(Math.max(...made.map(({ millis }) => millis))).toBeLessThan(5000)
      expect(made[2]!.made.request).toMatchObject({ bodyLen: 256 << 10, bodyCut: true })
      expect(leftOpen).toBe(0)
      expect(megabytes).toBeLessThan(300)
    },
    RUN_MILLIS,
  )

  test(
    'resolvers who mean harm: an answer of ours or none, bounded and in time',
    async () => {
      const { near, one } = machine()
      await resolve(one, FAR.v0)
      const names = [
        'www',
        'many',
        'late',
        'long',
        'longsilent',
        'missing',
        'wrongid',
        'wrongport',
        'garbage',
        'silent',
      ].map((label) => `${label}.example`)
      const { made, leftOpen } = await go<Asked>(near, 'ask', 'v0', FAR.v0, ...names)
      const [plain, many, late, long, longSilent, missing, ...none] = made.map((one) => one.made)
      expect(plain!.answer).toMatchObject({ rcode: 'NOERROR', addresses: [SITE] })
      expect(many!.answer!.addresses).toHaveLength(32)
      expect(late!.answer!.addresses).toEqual([SITE])
      expect(long!).toMatchObject({ answer: { addresses: [SITE], isTruncated: false }, ends: [{}, {}] })
      expect(longSilent!).toMatchObject({ answer: { addresses: [SITE], isTruncated: true } })
      expect(missing!.answer).toMatchObject({ rcode: 'NXDOMAIN' })
      expect(none.map((one) => [one.answer, one.fault])).toEqual(none.map(() => [undefined, 'no answer']))
      expect(Math.max(...made.map(({ millis }) => millis))).toBeLessThan(8000)
      expect(leftOpen).toBe(0)
      const nobody = await go<Asked>(near, 'ask', 'v0', NEAR.v0.replace('.10', '.77'), 'www.example')
      expect(nobody.made[0]!.made).toMatchObject({ fault: expect.stringMatching(/no answer|no route/) })
      // Nothing can be sent there at all: the machine has no IPv6, as where a kill switch has a rule against it.
      const forbidden = await go<Asked>(near, 'ask', 'v0', '2001:db8::53', 'www.example')
      expect(forbidden.made[0]!.made).toMatchObject({ fault: expect.stringMatching(/no route|firewall/) })
      expect(forbidden.leftOpen).toBe(0)
    },
    RUN_MILLIS,
  )

  test(
    'a stub on the loopback device, a name that is nowhere, a filter’s answer',
    async () => {
      const { near, one, two } = machine('127.0.0.53')
      await serve(one, 'first', 200)
      await serve(two, 'second', 200)
      near.ip('addr add 127.0.0.53/32 dev lo')
      await resolve(near, '127.0.0.53')
      await resolve(one, FAR.v0)
      const works = (await check(near, 'http://www.example/', '--json')).report()
      expect(works.resolvers).toMatchObject([
        { address: '127.0.0.53', over: 'lo', source: 'system' },
        { source: 'router' },
        { source: 'router' },
      ])
      expect(works.verdict.word).toBe('works')
      const missing = (await check(near, 'http://missing.example/', '--json')).report()
      expect(missing.verdict).toMatchObject({ word: 'fails', summary: expect.stringContaining('NXDOMAIN') })
      const here = (await check(near, 'http://here.example/', '--json')).report()
      expect(here.ways.map((way) => [way.outcome, way.status])).toEqual(here.ways.map(() => ['fails', undefined]))
      // Programs that listen here are not spoken to because somebody's answer says so.
      const listening = await serve(near, 'ours', 200)
      const ours = (await check(near, 'http://ours.example/', '-i', 'v0', '--resolver', FAR.v0, '--json')).report()
      expect(ours.ways[0]).toMatchObject({
        answers: [NEAR.v0],
        outcome: 'fails',
        fault: expect.stringMatching('machine itself'),
      })
      expect(listening.output).not.toContain('seen')
      expect(await check(near, `http://${NEAR.v1}/`)).toMatchObject({
        code: 2,
        err: expect.stringMatching('machine itself'),
      })
    },
    RUN_MILLIS * 2,
  )

  test(
    'while it runs it may do nothing but open its sockets; Ctrl-C ends it at once, and what is known is said',
    async () => {
      const { near, one } = machine()
      await serve(one, 'first', 200)
      await resolve(one, FAR.v0)
      for (const [url, begun] of [
        [`http://${SITE}:8005/`, 'opening'],
        ['http://silent.example/', 'What is sent'],
      ] as const) {
        const run = near.start(process.execPath, [main(), 'check', url, '-i', 'v0', '--json', '--timeout', '60'])
        for (const end = Date.now() + RUN_MILLIS; !run.errors.includes(begun); await pause(50)) {
          if (Date.now() > end) throw new Error(`not begun: ${run.errors}`)
        }
        await pause(200)
        const rights = parseThread(run.pid, readFileSync(`/proc/${run.pid}/status`, 'utf8'))
        const allowed = { permitted: CAP_NET_RAW, effective: CAP_NET_RAW, bounding: CAP_NET_RAW }
        expect(rights).toMatchObject({ ...allowed, noNewPrivileges: true })
        const stopped = Date.now()
        run.child.kill('SIGINT')
        expect(await run.ends()).toBe(130)
        expect(Date.now() - stopped).toBeLessThan(4000)
        const report = JSON.parse(run.output) as CheckReport
        expect(report.verdict).toMatchObject({ word: 'unknown', complete: false, reasons: ['It was interrupted.'] })
        expect(report.ways.map((way) => way.fault)).toEqual(['interrupted'])
      }
    },
    RUN_MILLIS * 2,
  )

  test(
    'exit codes: --fail-on, no right, a plan without rights, nobody to ask',
    async () => {
      const { near, one, two } = machine()
      await serve(one, 'first', 200)
      await serve(two, 'second', 502)
      await resolve(one, FAR.v0)
      expect((await check(near, 'http://shop.example/', '--fail-on', 'warning')).code).toBe(1)
      expect((await check(near, 'http://shop.example/', '-i', 'v0', '--fail-on', 'warning')).code).toBe(0)
      const asNobody = (...words: string[]) => {
        const become = [
          `--reuid=${NOBODY}`,
          `--regid=${NOBODY}`,
          '--clear-groups',
          process.execPath,
          main(),
          'check',
          ...words,
        ]
        return near.start('setpriv', become)
      }
      const refused = asNobody('http://shop.example/')
      expect(await refused.ends()).toBe(2)
      expect(refused.errors).toMatch(/^tunnelscope: check binds .* needs CAP_NET_RAW: run it with sudo\.\n$/)
      const dry = asNobody('http://shop.example/', '--dry-run')
      expect(await dry.ends()).toBe(0)
      expect(dry.output).toContain(`DNS question A for shop.example to ${FAR.v0} over v0`)
      const strange = await check(near, 'http://shop.example/', '-i', 'v9')
      expect([strange.code, strange.err]).toEqual([2, expect.stringContaining('no such interface')])
    },
    RUN_MILLIS * 2,
  )

  test(
    'a strict reverse path filter is told before anything is sent by that line',
    async () => {
      const { near, one, two } = machine()
      const [, second] = [await serve(one, 'first', 200), await serve(two, 'second', 200)]
      await resolve(one, FAR.v0)
      execFileSync('ip', ['netns', 'exec', near.name, 'sysctl', '-qw', 'net.ipv4.conf.v1.rp_filter=1'])
      const report = (await check(near, 'http://shop.example/', '--json')).report()
      expect(report.ways.map((way) => way.interface)).toEqual(['v0'])
      expect(report.notes.join()).toContain('IPv4 over v1 is left out')
      expect(second.output).not.toContain('seen')
    },
    RUN_MILLIS,
  )
}
