// Recorded runs of the lab beside the project, where it is there: `compare` against what the lab knows happened.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compareSites } from '../../src/analysis/compare/compare-sites.ts'
import { openCaptures } from '../../src/capture/open-captures.ts'
import { analyze } from '../../src/daemon/pipeline.ts'
import type { SiteComparison } from '../../src/model/comparison.ts'
import type { Finding } from '../../src/model/finding.ts'

const RECORDED = process.env.LAB_RUNS ?? join(process.cwd(), '../shared/lab/recorded')
const NUMBERS = ['11', '12', '15', '16', '17', '18']

interface Truth {
  http: { host: string; location: number; ip: string; tls: string; result: string }[]
  divergence?: { qname: string }[]
  dns_timing?: { server: string; expected_ms: number }[]
  tls_reset?: { host: string; rst_ttl: number; server_ttl: number }[]
}

const runs = existsSync(RECORDED)
  ? readdirSync(RECORDED).flatMap((group) =>
      readdirSync(join(RECORDED, group))
        .filter((name) => NUMBERS.includes(name.slice(0, 2)))
        .map((name) => join(group, name)),
    )
  : []

async function compareRun(run: string): Promise<{ sites: SiteComparison[]; findings: Finding[]; truth: Truth }> {
  const folder = join(RECORDED, run)
  const truth = JSON.parse(readFileSync(join(folder, 'truth.json'), 'utf8')) as Truth
  const merged = join(folder, 'merged.pcapng')
  const single = readdirSync(folder).filter((name) => /^(?!merged).*\.pcapng$/.test(name))
  const source = await openCaptures(existsSync(merged) ? [merged] : single.map((name) => join(folder, name)))
  try {
    const options = { version: 'test', tunnels: [], physicals: [], vpnResolvers: [] }
    const report = (await analyze(source, options)).report()
    const labelled = report.sites.map((observation) => ({ label: `epoch ${observation.epoch}`, observation }))
    return { sites: compareSites(labelled), findings: report.findings, truth }
  } finally {
    await source.close()
  }
}

if (runs.length === 0) {
  test('the lab', () => {
    console.warn(`no recorded runs in ${RECORDED}: compare was not held against the lab`)
    expect(runs).toEqual([])
  })
} else {
  test.each(runs)(
    '%s',
    async (run) => {
      const { sites, findings, truth } = await compareRun(run)
      const of = (host: string) => sites.find((one) => one.host === host)
      const number = run.replace(/^.*[/\\]/, '').slice(0, 2)
      const failing = new Set(
        truth.http
          .filter((one) => Number.isNaN(Number(one.result)) || Number(one.result) >= 400)
          .map((one) => one.host),
      )
      // What the lab saw fail is what differs, and nothing else.
      if (number !== '17') {
        expect(new Set(sites.filter((one) => one.verdict === 'differs').map((one) => one.host))).toEqual(failing)
      }
      for (const host of failing) {
        const found = of(host)!
        const bad = truth.http.find((one) => one.host === host && Number(one.result) >= 400 && one.tls === 'no')
        const { axis } = found.difference!
        if (number === '15') {
          expect(axis).toBe(bad!.result === '502' ? 'gateway' : 'address-range')
          expect(found.summary).toContain(`${bad!.result} came from nginx`)
          expect(found.summary).toContain(bad!.ip)
          expect(found.summary).toContain('DNS gave the same address')
          expect(found.difference!.confidence).toBe('proven')
          expect(found.works).toHaveLength(2)
        } else if (number === '16') {
          const wrong = truth.http.find((one) => one.host === host && one.location === 1)!
          const right = truth.http.find((one) => one.host === host && one.location === 0)!
          expect(axis).toBe('dns')
          expect(found.summary).toContain(wrong.ip)
          expect(found.summary).toContain(right.ip)
          expect(found.next!.toggle).toBe('resolver')
        } else if (number === '18') {
          const reset = truth.tls_reset!.find((one) => one.host === host)!
          expect(axis).toBe('tls')
          expect(found.difference!.cause).toBe('reset')
          expect(found.summary).toContain(`TTL ${reset.rst_ttl}, the server's own packets with ${reset.server_ttl}`)
        } else {
          expect([number, axis, found.difference!.confidence]).toEqual(['11', 'mtu', 'proven'])
          expect(found.summary).toMatch(/packets of 1\d{3} bytes die/)
        }
      }
      if (number === '17') {
        const slow = sites.find((one) => one.verdict === 'differs')!
        const resolver = truth.dns_timing!.toSorted((a, b) => b.expected_ms - a.expected_ms)[0]!
        expect(slow.difference).toMatchObject({ axis: 'dns', cause: 'slow' })
        expect(slow.summary).toContain(resolver.server)
      }
      if (number === '12') expect(findings.map((one) => one.id)).toContain('mtu-outer-ptb')
    },
    60_000,
  )
}
