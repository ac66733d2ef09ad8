// The comparison as a browser shows it: whatever the wire said stays text, nothing runs, and nobody is asked for anything.
import { spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Comparison, LabelledObservation } from '../../src/model/comparison.ts'
import { comparisonHtml } from '../../src/text/comparison-html.ts'
import { makeSite } from '../support/findings.ts'
import { sayNotRun } from '../support/not-run.ts'

const BROWSERS = ['chromium', 'chromium-browser', 'google-chrome']
const browser = (process.env.PATH ?? '')
  .split(delimiter)
  .flatMap((folder) => BROWSERS.map((name) => join(folder, name)))
  .find((path) => existsSync(path))

let folder: string
let server: Server
const asked: string[] = []

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tunnelscope-page-'))
  server = createServer((request, response) => {
    asked.push(request.url ?? '')
    response.end()
  })
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve)
  })
})
afterAll(() => {
  server.close()
  rmSync(folder, { recursive: true, force: true })
})

/** Every text field holds what would act if it were markup. */
function hostileComparison(url: string): Comparison {
  const bad = (what: string) =>
    `${what}"'><img src=${url}/${what} onerror="document.title='run'"><script>document.title='run'</script><style>@import url(${url}/style)</style>`
  const http = { responses: 1, status: 502, unanswered: 0, bodyLen: 1, frame: 1, source: bad('source') }
  const seen = (label: string): LabelledObservation => ({
    label: bad(label),
    observation: makeSite({
      host: bad('host'),
      addresses: [{ address: bad('address'), organisation: bad('organisation') }],
      http: { ...http, address: bad('address'), server: bad('server'), via: bad('via'), proxyStatus: bad('proxy') },
    }),
  })
  const difference = { stage: 'http', axis: 'gateway', cause: 'gateway-error', confidence: 'strong' } as const
  return {
    tool: { name: 'tunnelscope', version: 'test' },
    schema: 1,
    contexts: [
      { label: bad('label'), files: [bad('file')], network: bad('network'), resolvers: [bad('resolver')], start: '' },
    ],
    sites: [
      {
        host: bad('host'),
        verdict: 'differs',
        summary: bad('summary'),
        works: [bad('works')],
        fails: [bad('fails')],
        control: seen('control'),
        test: seen('test'),
        difference: { ...difference, basis: bad('basis'), summary: bad('summary'), hypotheses: ['exit'] },
        next: { toggle: 'exit', instruction: bad('next'), ifItWorks: bad('works'), ifItFails: bad('fails') },
      },
    ],
    notes: [{ label: bad('label'), id: bad('id'), severity: 'warning', summary: bad('note') }],
  }
}

/** The page as the browser made it, after what runs in it had its time. */
function open(path: string): Promise<string> {
  // Its own errands go nowhere: there is no other name than this machine's.
  const flags = ['--headless', '--no-sandbox', '--disable-gpu', '--disable-background-networking', '--no-first-run']
  const more = [
    `--user-data-dir=${folder}/profile`,
    '--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1',
    '--virtual-time-budget=2000',
  ]
  const child = spawn(browser!, [...flags, ...more, '--dump-dom', pathToFileURL(path).href], {
    stdio: ['ignore', 'pipe', 'ignore'],
  })
  let dom = ''
  child.stdout.on('data', (part) => {
    dom += part
  })
  return new Promise((resolve, reject) => {
    child.on('close', () => resolve(dom))
    child.on('error', reject)
  })
}

async function shown(html: string): Promise<{ dom: string; asked: string[] }> {
  const path = join(folder, 'page.html')
  writeFileSync(path, html)
  asked.length = 0
  return { dom: await open(path), asked: [...asked] }
}

if (browser === undefined) {
  test('the page in a browser', () => sayNotRun('the comparison in a browser', 'Chromium'))
} else {
  test('what the wire said is text: nothing runs, nobody is asked', async () => {
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    // A page that does ask is noticed, or silence would prove nothing.
    const loud = await shown(`<title>quiet</title><img src="${url}/loud" onerror="document.title='run'">`)
    expect(loud.asked).toContain('/loud')
    expect(loud.dom).toContain('<title>run</title>')

    const { dom, asked: requests } = await shown(comparisonHtml(hostileComparison(url)))
    expect(requests).toEqual([])
    expect(dom).toMatch(/<title>tunnelscope compare: /)
    expect(dom).toContain('&lt;img src=')
    expect(dom).not.toMatch(/<(img|script)\b/)
    expect(dom.match(/<style>/g)).toHaveLength(1)
  }, 60_000)
}
