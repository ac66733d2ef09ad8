import { fixtureFindings } from '../fixture-report.ts'
import { findingsOf, lookup, play } from '../scenario.ts'

const refused = (type: string) =>
  ['a', 'b', 'c', 'd'].flatMap((label, index) =>
    lookup({
      on: 'eth0',
      atMillis: index * 100,
      name: `${label}.example`,
      type,
      answeredAfter: 3,
      rcode: 'REFUSED',
    }),
  )

describe('dns-failing raises', () => {
  test('SERVFAIL for several names', async () => {
    const [finding, ...others] = await fixtureFindings('dns-failing', 'raises')
    expect(others).toEqual([])
    expect(finding).toMatchObject({ severity: 'warning', interface: 'wg0' })
    expect(finding!.data).toMatchObject({ codes: 'SERVFAIL', failed: 4, answered: 5, nameCount: 4 })
  })

  test('REFUSED for every address', () => {
    expect(findingsOf(play(refused('A')), 'dns-failing')).toMatchObject([{ data: { codes: 'REFUSED', nameCount: 4 } }])
  })
})

const answers = (from: number, count: number, label: string, rcode: 'NOERROR' | 'SERVFAIL' | 'REFUSED') =>
  Array.from({ length: count }, (_, index) =>
    lookup({ on: 'eth0', atMillis: from + index * 20, name: `${label}${index}.example`, answeredAfter: 3, rcode }),
  ).flat()

test('dns-failing raises for a resolver that begins to fail after a long good time', () => {
  const report = play([...answers(0, 2000, 'good', 'NOERROR'), ...answers(60_000, 60, 'bad', 'SERVFAIL')])
  expect(findingsOf(report, 'dns-failing')).toMatchObject([{ data: { codes: 'SERVFAIL', failed: 60 } }])
})

describe('dns-failing stays quiet', () => {
  test('on a resolver whose first answers fail and whose second ones, for the same names, do not', () => {
    const first = answers(0, 5, 'n', 'SERVFAIL')
    const second = answers(5100, 5, 'n', 'NOERROR')
    expect(findingsOf(play([...first, ...second, ...answers(20_000, 1, 'm', 'NOERROR')]), 'dns-failing')).toEqual([])
  })

  test('on a resolver that refuses three names before it answers another', () => {
    const report = play([...answers(0, 4, 'own', 'REFUSED'), ...answers(1000, 3, 'n', 'NOERROR')])
    expect(findingsOf(report, 'dns-failing')).toEqual([])
  })

  test('on what only looks like it', async () => {
    expect(await fixtureFindings('dns-failing', 'quiet')).toEqual([])
  })

  test('on a server that refuses other types before it gives the first address', () => {
    const answered = lookup({ on: 'eth0', atMillis: 900, name: 'e.example', answeredAfter: 3 })
    const report = play([...refused('AAAA'), ...refused('MX'), ...answered])
    expect(findingsOf(report, 'dns-failing')).toEqual([])
  })
})
