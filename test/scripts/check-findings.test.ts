// A finding id is detector, test, fixture and page; each that is missing or left over gives one message.
import { checkFindings } from '../../scripts/check-findings.mjs'
import { withTree } from './bad-tree.ts'

const GOOD: Record<string, string> = {
  'src/analysis/detectors/index.ts': "import { dnsLeak } from './dns-leak.ts'\nexport const DETECTORS = [dnsLeak]\n",
  'src/analysis/detectors/dns-leak.ts':
    "const meta = { id: 'dns-leak', title: 'x' }\nexport const dnsLeak = { meta }\n",
  'test/analysis/detectors/dns-leak.test.ts': '',
  'test/fixtures/dns-leak/raises.pcapng': '',
  'docs/findings/dns-leak.md': '',
}

function violationsOf(files: Record<string, string>): string[] {
  return withTree(files, (root) => checkFindings(root).violations)
}

function without(path: string): Record<string, string> {
  return Object.fromEntries(Object.entries(GOOD).filter(([name]) => name !== path))
}

test('a whole finding passes', () => {
  expect(violationsOf(GOOD)).toEqual([])
})

test.each([
  ['src/analysis/detectors/index.ts', 'index.ts is missing'],
  ['src/analysis/detectors/dns-leak.ts', 'src/analysis/detectors/dns-leak.ts is missing'],
  ['test/analysis/detectors/dns-leak.test.ts', 'dns-leak.test.ts is missing'],
  ['test/fixtures/dns-leak/raises.pcapng', 'test/fixtures/dns-leak/ holds no capture'],
  ['docs/findings/dns-leak.md', 'docs/findings/dns-leak.md is missing'],
])('without %s there is one message', (path, message) => {
  const violations = violationsOf(without(path))
  expect(violations).toHaveLength(1)
  expect(violations[0]).toContain(message)
})

test.each(['src/analysis/detectors/old.ts', 'test/analysis/detectors/old.test.ts', 'docs/findings/old.md'])(
  '%s, which no detector in the index stands for, is an orphan',
  (path) => {
    expect(violationsOf({ ...GOOD, [path]: '' })).toEqual([`${path}: 'old' is not in src/analysis/detectors/index.ts`])
  },
)

test('a finding of the service itself needs its file, test and page, but no capture', () => {
  const own = {
    'src/daemon/service-findings/store-paused.ts': "const meta = { id: 'store-paused' }\n",
    'test/daemon/service-findings/store-paused.test.ts': '',
    'docs/findings/store-paused.md': '',
  }
  expect(violationsOf({ ...GOOD, ...own })).toEqual([])
  for (const path of Object.keys(own).slice(1)) {
    const rest = Object.fromEntries(Object.entries(own).filter(([name]) => name !== path))
    expect(violationsOf({ ...GOOD, ...rest })).toEqual([`${path} is missing`])
  }
})

test('a detector whose meta carries another id is told', () => {
  const violations = violationsOf({
    ...GOOD,
    'src/analysis/detectors/dns-leak.ts': "export const dnsLeak = { meta: { id: 'dns-loss' } }",
  })
  expect(violations).toEqual(["src/analysis/detectors/dns-leak.ts: declares the id dns-loss, not 'dns-leak'"])
})
