import { fixtureFindings } from '../fixture-report.ts'

describe('dns-answers-differ raises', () => {
  test('an address inside that refuses', async () => {
    const [finding, ...others] = await fixtureFindings('dns-answers-differ', 'raises')
    expect(others).toEqual([])
    expect(finding).toMatchObject({ severity: 'warning', confidence: 'probable' })
    expect(finding!.data).toMatchObject({
      host: 'shop.example.com',
      insideAddresses: ['198.51.100.66'],
      outsideAddresses: ['203.0.113.80'],
      why: 'connections to 198.51.100.66 are refused',
    })
  })
})

describe('dns-answers-differ stays quiet', () => {
  test('on what only looks like it', async () => {
    expect(await fixtureFindings('dns-answers-differ', 'quiet')).toEqual([])
  })
})
