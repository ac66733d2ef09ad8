import { ascii, concat, udp } from '../../decoders/build-packet.ts'
import { fixtureFindings, fixtureReport } from '../fixture-report.ts'
import { findingsOf, ip, LAN_CLIENT, lookup, play } from '../scenario.ts'

describe('dns-lan-exposure raises', () => {
  test('public names and names given up inside', async () => {
    const findings = await fixtureFindings('dns-lan-exposure', 'raises')
    expect(findings.map((one) => [one.data.protocol, one.cause, one.data.names]).sort()).toEqual([
      ['llmnr', 'asked-inside', ['intranet']],
      ['llmnr', 'public-name', ['www.example.com']],
      ['mdns', 'public-name', ['mail.example.org']],
    ])
    const { exposures, leaks } = await fixtureReport('dns-lan-exposure', 'raises')
    expect(exposures.map((one) => [one.transport, one.name])).toEqual([
      ['llmnr', 'intranet'],
      ['llmnr', 'www.example.com'],
      ['mdns', 'mail.example.org'],
    ])
    expect(leaks).toEqual([])
  })
})

test('dns-lan-exposure hears every question of a message, also those whose names end in a pointer', () => {
  const label = (text: string) => [text.length, ...ascii(text)]
  // laptop.local, printer.<pointer to local>, www.example.com; QU bits set.
  const questions = concat(
    [...label('laptop'), ...label('local'), 0, 0, 1, 0x80, 1],
    [...label('printer'), 0xc0, 12 + 7, 0, 28, 0x80, 1],
    [...label('www'), ...label('example'), ...label('com'), 0, 0, 1, 0, 1],
  )
  const message = concat([0, 0, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0], questions)
  const steps = [
    ...lookup({ on: 'wg0', atMillis: 0, name: 'first.example', answeredAfter: 5 }),
    { atMillis: 500, on: 'eth0', outgoing: true, ip: ip(LAN_CLIENT, '224.0.0.251', 17, udp(5353, 5353, message)) },
    ...lookup({ on: 'wg0', atMillis: 1000, name: 'last.example', answeredAfter: 5 }),
  ]
  const report = play(steps)
  expect(report.exposures.map((one) => [one.name, one.type])).toEqual([
    ['laptop.local', 'A'],
    ['printer.local', 'AAAA'],
    ['www.example.com', 'A'],
  ])
  expect(findingsOf(report, 'dns-lan-exposure')).toMatchObject([{ data: { names: ['www.example.com'] } }])
})

test('dns-lan-exposure: a host asked inside and then over NetBIOS, whose types and name endings are its own', () => {
  const nibbles = [...'PRINTER'.padEnd(15), '\0'].flatMap((one) => {
    const byte = one.charCodeAt(0)
    return [0x41 + (byte >> 4), 0x41 + (byte & 15)]
  })
  const shouted = (atMillis: number, id: number) => {
    const message = concat([0, id, 1, 0x10, 0, 1, 0, 0, 0, 0, 0, 0, 32], nibbles, [0, 0, 32, 0, 1])
    return { atMillis, on: 'eth0', outgoing: true, ip: ip(LAN_CLIENT, '192.0.2.255', 17, udp(137, 137, message)) }
  }
  const steps = [
    ...lookup({ on: 'wg0', atMillis: 0, name: 'first.example', answeredAfter: 5 }),
    shouted(500, 7),
    ...lookup({ on: 'wg0', atMillis: 1000, name: 'printer', answeredAfter: 5, rcode: 'NXDOMAIN' }),
    shouted(2000, 8),
    ...lookup({ on: 'wg0', atMillis: 20_000, name: 'last.example', answeredAfter: 5 }),
  ]
  expect(findingsOf(play(steps), 'dns-lan-exposure')).toMatchObject([
    { cause: 'asked-inside', count: 1, data: { protocol: 'nbns', names: ['PRINTER<00>'] } },
  ])
})

describe('dns-lan-exposure stays quiet', () => {
  test('on what only looks like it', async () => {
    expect(await fixtureFindings('dns-lan-exposure', 'quiet')).toEqual([])
  })
})
