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

describe('dns-failing stays quiet', () => {
  test('on what only looks like it', async () => {
    expect(await fixtureFindings('dns-failing', 'quiet')).toEqual([])
  })

  test('on a server that refuses other types before it gives the first address', () => {
    const answered = lookup({ on: 'eth0', atMillis: 900, name: 'e.example', answeredAfter: 3 })
    const report = play([...refused('AAAA'), ...refused('MX'), ...answered])
    expect(findingsOf(report, 'dns-failing')).toEqual([])
  })
})
