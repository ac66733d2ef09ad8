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
        data: { server: LAN_RESOLVER, names: ['one.example', 'two.example'], nameCount: 2, asked: 3, unanswered: 2 },
        count: 2,
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

  test('when each name was asked again from another port and then answered, whichever of them is told first', () => {
    const names = ['one.example', 'two.example', 'three.example']
    const silent = names.flatMap((name, index) => lookup({ on: 'eth0', atMillis: index * 10, name }))
    const again = (atMillis: number) =>
      names.flatMap((name, index) => lookup({ on: 'eth0', atMillis: atMillis + index * 10, name, answeredAfter: 4 }))
    expect(findingsOf(play([...silent, ...again(5005), ...later]), 'dns-unanswered')).toEqual([])
    // The twin was sent first, and its answer came while the silent one waited.
    const slow = names.flatMap((name, index) => lookup({ on: 'eth0', atMillis: index * 10, name, answeredAfter: 900 }))
    const twins = names.flatMap((name, index) => lookup({ on: 'eth0', atMillis: 400 + index * 10, name }))
    expect(findingsOf(play([...slow, ...twins, ...later]), 'dns-unanswered')).toEqual([])
  })

  test('for one silent name beside others that were answered at their second message', () => {
    const repeated = [1, 2, 3].flatMap((number) => {
      const name = `n${number}.example`
      const same = { on: 'eth0', name, clientPort: 41_000 + number, id: number }
      return [
        ...lookup({ ...same, atMillis: number * 10 }),
        ...lookup({ ...same, atMillis: number * 10 + 900, answeredAfter: 3 }),
      ]
    })
    const silent = lookup({ on: 'eth0', atMillis: 50, name: 'lost.example' })
    expect(findingsOf(play([...repeated, ...silent, ...later]), 'dns-unanswered')).toEqual([])
  })

  test('for two datagrams lost an hour apart', () => {
    const report = play([
      ...lookup({ on: 'eth0', atMillis: 0, name: 'one.example' }),
      ...lookup({ on: 'eth0', atMillis: 3_600_000, name: 'two.example' }),
      ...lookup({ on: 'eth0', atMillis: 3_610_000, name: 'later.example', answeredAfter: 3 }),
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
