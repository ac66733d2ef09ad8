// Captures of two locations in which the resolver changed too, read like anybody's: what is said, what is proposed, and
// what the proposed try then settles.
import { join } from 'node:path'
import { compareSites } from '../../../src/analysis/compare/compare-sites.ts'
import { openCaptures } from '../../../src/capture/open-captures.ts'
import { analyze } from '../../../src/daemon/pipeline.ts'
import type { LabelledObservation, SiteComparison } from '../../../src/model/comparison.ts'

const FIXTURES = join(import.meta.dirname, '../../fixtures/compare')

async function observe(label: string): Promise<LabelledObservation[]> {
  const source = await openCaptures([join(FIXTURES, `${label}.pcapng`)])
  try {
    const options = { version: 'test', tunnels: [], physicals: [], vpnResolvers: [], namesAreSites: true }
    const { sites } = (await analyze(source, options)).report()
    return sites.map((observation) => ({ label, observation }))
  } finally {
    await source.close()
  }
}

/** What is said of location 2. */
async function compare(...labels: string[]): Promise<SiteComparison> {
  const observations = await Promise.all(labels.map(observe))
  return compareSites(observations.flat()).find((one) => one.test?.label === 'location-2')!
}

test('location and resolver changed: never more than probable, and the try that tells both apart', async () => {
  const found = await compare('location-1', 'location-2')
  expect(found).toMatchObject({
    verdict: 'differs',
    changed: ['location', 'resolver'],
    difference: { axis: 'dns', cause: 'answers-differ', confidence: 'probable', hypotheses: ['resolver', 'exit'] },
    next: { toggle: 'resolver', ifItWorks: 'the resolver’s answer is to blame' },
  })
  expect(found.next!.instruction).toContain('open shop.example.com at 198.51.100.80, the address that 10.64.0.1 gave')
  expect(found.next!.ifItFails).toContain('the VPN’s exit')
})

test.each(['resolver-works', 'address-works'])(
  '%s: the answer was wrong, proven, nothing left to try',
  async (toggle) => {
    const found = await compare('location-1', 'location-2', toggle)
    expect(found).toMatchObject({
      control: { label: toggle },
      changed: ['resolver'],
      difference: { axis: 'dns', confidence: 'proven', hypotheses: ['resolver'] },
      settledBy: [toggle],
    })
    expect(found.next).toBeUndefined()
    expect(found.summary).toContain('10.99.0.1 through the VPN (WireGuard 203.0.113.133:51820) said 198.51.100.84')
  },
)

test('resolver-fails: the answer is not to blame, the exit is left', async () => {
  const found = await compare('location-1', 'location-2', 'resolver-fails')
  expect(found).toMatchObject({
    difference: { axis: 'gateway', hypotheses: ['exit'], confidence: 'strong' },
    settledBy: ['resolver-fails'],
    next: { toggle: 'exit' },
  })
})
