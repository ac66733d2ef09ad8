// Recorded runs of the lab beside the project, where it is there: `compare` against what the lab knows happened.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { compareSites } from '../../src/analysis/compare/compare-sites.ts'
import { openCaptures } from '../../src/capture/open-captures.ts'
import { contextsOf, notesOf, observationsOf, readSides } from '../../src/cli/comparison-sides.ts'
import { analyze } from '../../src/daemon/pipeline.ts'
import type { Comparison, LabelledObservation } from '../../src/model/comparison.ts'
import type { Finding } from '../../src/model/finding.ts'
import { comparisonHtml } from '../../src/text/comparison-html.ts'
import { comparisonText, comparisonVerdict } from '../../src/text/comparison-text.ts'
import { redact } from '../../src/text/redact.ts'
import { sayNotRun } from '../support/not-run.ts'

const RECORDED = process.env.LAB_RUNS ?? join(process.cwd(), '../shared/lab/recorded')
const COMPARED = ['11', '12', '15', '16', '17', '18']

interface Truth {
  http: { host: string; location: number; ip: string; tls: string; result: string }[]
  divergence?: { qname: string }[]
  dns: { queries: { qname: string; phase: string; rcodes: string[] }[] }
  resolvers: { addresses: string[]; name?: string }[]
  locations: { endpoint: string; name: string }[]
  interfaces: { name: string; addresses: string[] }[]
  dns_timing?: { server: string; expected_ms: number }[]
  tls_reset?: { host: string; rst_ttl: number; server_ttl: number }[]
}

const runs = existsSync(RECORDED)
  ? readdirSync(RECORDED).flatMap((group) => readdirSync(join(RECORDED, group)).map((name) => join(group, name)))
  : []

/** What a recorded run shows of its sites and names, labelled `NAME epoch N`. */
async function observe(run: string, name = ''): Promise<{ observations: LabelledObservation[]; findings: Finding[] }> {
  const folder = join(RECORDED, run)
  const merged = join(folder, 'merged.pcapng')
  const single = readdirSync(folder).filter((file) => /^(?!merged).*\.pcapng$/.test(file))
  const source = await openCaptures(existsSync(merged) ? [merged] : single.map((file) => join(folder, file)))
  try {
    const options = { version: 'test', tunnels: [], physicals: [], vpnResolvers: [], namesAreSites: true }
    const { sites, findings } = (await analyze(source, options)).report()
    const label = (epoch: number) => `${name} epoch ${epoch}`.trimStart()
    return { observations: sites.map((observation) => ({ label: label(observation.epoch), observation })), findings }
  } finally {
    await source.close()
  }
}

function truthOf(run: string): Truth {
  return JSON.parse(readFileSync(join(RECORDED, run, 'truth.json'), 'utf8')) as Truth
}

/** Recorded runs whose number is that. */
function runsOf(number: string): string[] {
  return runs.filter((run) => run.replace(/^.*[/\\]/, '').startsWith(number))
}

/** The epochs in which the machine was at these locations: 0 is without the VPN. */
function at(observations: readonly LabelledObservation[], ...locations: number[]): LabelledObservation[] {
  const servers = [...new Set(observations.map((one) => one.observation.network.endpoint))].filter(
    (one) => one !== undefined,
  )
  return observations.filter(({ observation: { network } }) => {
    return locations.includes(network.tunnel === 'none' ? 0 : servers.indexOf(network.endpoint ?? '') + 1)
  })
}

if (runs.length === 0) {
  test('the lab', () => {
    console.warn(`no recorded runs in ${RECORDED}: compare was not held against the lab`)
    expect(runs).toEqual([])
  })
} else {
  test.each(COMPARED.flatMap(runsOf))(
    '%s',
    async (run) => {
      const { observations, findings } = await observe(run)
      const sites = compareSites(observations)
      const truth = truthOf(run)
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

  test.each(COMPARED.flatMap(runsOf))(
    '%s: redacted, no name or address of it is left',
    async (run) => {
      const { observations, findings } = await observe(run)
      const notes = findings.map(({ id, severity, summary }) => ({ label: 'epoch 1', id, severity, summary }))
      const redacted = redact({ ...comparisonOf(compareSites(observations)), notes })
      const text = `${JSON.stringify(redacted)}\n${comparisonHtml(redacted)}`
      const { http, resolvers, locations, interfaces } = truthOf(run)
      const secrets = new Set([
        ...http.flatMap((one) => [one.host, one.ip]),
        ...resolvers.flatMap((one) => [...one.addresses, one.name ?? '']),
        ...locations.flatMap((one) => [one.endpoint, one.name]),
        ...interfaces.flatMap((one) => one.addresses.map((address) => address.replace(/\/.*$/, ''))),
      ])
      for (const secret of secrets) if (secret !== '') expect(text).not.toContain(secret)
      for (const { name } of interfaces) expect(text).not.toMatch(new RegExp(`\\b${name}\\b`))
    },
    60_000,
  )

  test.each(runsOf('10'))(
    '%s: no difference that matters',
    async (run) => {
      const sites = compareSites((await observe(run)).observations)
      // The VPN server's own name is all that was asked for in both contexts; the one site was visited in one.
      expect(sites.map((one) => one.verdict).toSorted()).toEqual(['not-comparable', 'same'])
      expect(sites.flatMap((one) => one.fails)).toEqual([])
      expect(comparisonVerdict(comparisonOf(sites)).sentence).toContain('No difference that matters')
    },
    60_000,
  )

  test.each(runsOf('15'))(
    '%s: location 2 against none, no difference that matters',
    async (run) => {
      const sites = compareSites(at((await observe(run)).observations, 0, 2))
      expect(sites.filter((one) => one.verdict !== 'same')).toEqual([])
      expect(sites.map((one) => one.host)).toEqual(expect.arrayContaining(truthOf(run).http.map((one) => one.host)))
      expect(comparisonVerdict(comparisonOf(sites))).toEqual({
        word: 'SAME',
        sentence: 'No difference that matters.',
        isGood: true,
      })
    },
    60_000,
  )

  // Seed 0 visits the same sites in runs 01 (never a VPN) and 15.
  const withControl = runsOf('15').filter((run) => run.includes('-0'))
  if (withControl.length === 0) {
    test('a run of 15 joined with 01', () => sayNotRun('a run of 15 joined with 01', `recorded runs in ${RECORDED}`))
  } else {
    test.each(withControl)(
      '%s joined with 01: location and resolver changed, the cap, the try, and the try done',
      async (run) => {
        const control = await observe(runsOf('01').find((one) => one.split('/')[0] === run.split('/')[0])!, 'A')
        const other = (await observe(run, 'B')).observations
        const host = truthOf(run).http.find((one) => one.result === '502')!.host
        const said = (...locations: number[]) =>
          compareSites([...control.observations, ...at(other, ...locations)]).find((one) => one.host === host)!
        const before = said(1)
        expect(before).toMatchObject({
          changed: ['tunnel', 'resolver'],
          // In 01 TLS hid the answers: strong for want of one toggle, probable for want of a status.
          difference: { axis: 'gateway', confidence: 'probable', hypotheses: ['exit'] },
          next: { toggle: 'exit' },
        })
        expect(before.next!.instruction).toMatch(/^Change only the VPN’s location, with the same resolver/)
        const settled = said(1, 2)
        expect(settled).toMatchObject({ changed: ['location'], difference: { axis: 'gateway', confidence: 'proven' } })
        expect(settled.settledBy).toContain(settled.control!.label)
        expect(settled.next).toBeUndefined()
      },
      60_000,
    )
  }

  const shown = runsOf('15').filter((run) => run.startsWith('wg-0'))
  if (shown.length === 0) {
    test('the README shows a run of 15', () =>
      sayNotRun('the README shows a run of 15', `recorded runs in ${RECORDED}`))
  } else {
    test.each(shown)(
      '%s: the README shows what is said of it',
      async (run) => {
        const sides = await readSides([join(RECORDED, run, 'merged.pcapng')], {
          socket: '',
          tunnel: [],
          physical: [],
          epochs: ['1', '2', '3'],
        })
        const sites = compareSites(observationsOf(sides, 'shop.sitea.example'))
        const comparison = { ...comparisonOf(sites), contexts: contextsOf(sides), notes: notesOf(sides) }
        const readme = readFileSync(join(process.cwd(), 'README.md'), 'utf8')
        expect(readme).toContain(comparisonText(comparison, { width: 90, colour: false }).trimEnd())
      },
      60_000,
    )
  }
}

function comparisonOf(sites: Comparison['sites']): Comparison {
  return { tool: { name: 'tunnelscope', version: 'test' }, schema: 1, contexts: [], sites, notes: [] }
}
