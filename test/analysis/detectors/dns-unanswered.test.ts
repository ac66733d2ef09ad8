import { findingsOf, LAN_RESOLVER, lookup, play } from '../scenario.ts'

const later = lookup({ on: 'eth0', atMillis: 9000, name: 'later.example', answeredAfter: 3 })

describe('dns-unanswered raises', () => {
  test('for two names without an answer within five seconds', () => {
    const report = play([
      ...lookup({ on: 'eth0', atMillis: 0, name: 'one.example' }),
      ...lookup({ on: 'eth0', atMillis: 100, name: 'two.example' }),
      ...later,
    ])
    expect(findingsOf(report, 'dns-unanswered')).toMatchObject([
      {
        severity: 'warning',
        data: { server: LAN_RESOLVER, names: ['one.example', 'two.example'], nameCount: 2, asked: 2 },
      },
    ])
  })

  test('for a resolver that never answers the one name it is asked, again and again', () => {
    const report = play([0, 1000, 2000].flatMap((atMillis) => lookup({ on: 'eth0', atMillis, name: 'one.example' })))
    expect(findingsOf(report, 'dns-unanswered')[0]).toMatchObject({ data: { asked: 3, unanswered: 3, nameCount: 1 } })
  })
})

describe('dns-unanswered stays quiet', () => {
  test('when a repetition was answered', () => {
    const report = play([
      ...lookup({ on: 'eth0', atMillis: 0, name: 'one.example', clientPort: 40_001, id: 5 }),
      ...lookup({ on: 'eth0', atMillis: 900, name: 'one.example', clientPort: 40_001, id: 5, answeredAfter: 4 }),
      ...later,
    ])
    expect(findingsOf(report, 'dns-unanswered')).toEqual([])
  })

  test('when the capture ends before an answer could come', () => {
    const report = play([
      ...lookup({ on: 'eth0', atMillis: 0, name: 'one.example' }),
      ...lookup({ on: 'eth0', atMillis: 10, name: 'two.example' }),
    ])
    expect(findingsOf(report, 'dns-unanswered')).toEqual([])
  })

  test('for one lost datagram of a resolver that answers the rest', () => {
    const report = play([
      ...later,
      ...lookup({ on: 'eth0', atMillis: 0, name: 'lost.example' }),
      ...lookup({ on: 'eth0', atMillis: 50, name: 'other.example', answeredAfter: 3 }),
    ])
    expect(findingsOf(report, 'dns-unanswered')).toEqual([])
  })
})
