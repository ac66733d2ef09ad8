// docs/report.md is what an integrator has: every field of the report and of the comparison stands in it, and no other.
import { readFileSync } from 'node:fs'

const read = (path: string) => readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8')
/** Of the daemon's messages only (docs/messages.md). */
const NOT_IN_REPORTS = /export interface (?:LeakServiceChange|Stats) \{[^}]*\}/g

const declared = ['report', 'finding', 'site', 'comparison'].flatMap((name) => {
  const source = read(`src/model/${name}.ts`)
    .replace(NOT_IN_REPORTS, '')
    .replaceAll(/\/\*\*[\s\S]*?\*\/|\/\/.*/g, '')
  const bodies = [...source.matchAll(/export interface \w+[^{]*\{([\s\S]*?)\n\}/g)].map((match) => match[1]!)
  return bodies.flatMap((body) => [...body.matchAll(/(?:^|[{;])\s*(\w+)\??:/gm)].map((match) => match[1]!))
})

test('every field is documented', () => {
  const words = new Set(read('docs/report.md').match(/\w+/g))
  expect(declared.length).toBeGreaterThan(150)
  expect([...new Set(declared)].filter((field) => !words.has(field))).toEqual([])
})

test('every documented field is there', () => {
  const documented = [...read('docs/report.md').matchAll(/`([a-zA-Z0-9]+)(?:\[\]|\?)`/g)].map((match) => match[1]!)
  expect(documented.filter((field) => !declared.includes(field))).toEqual([])
})
