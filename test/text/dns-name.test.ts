import fc from 'fast-check'
import { FAULT_NAMES } from '../../src/model/malformed.ts'
import { createNameMemo, dnsNameText, dnsNameWire, type NameReading, readName } from '../../src/text/dns-name.ts'
import { netbiosName } from '../../src/text/netbios-name.ts'
import { pointer, wireName } from '../decoders/build-dns.ts'
import { ascii, type Bytes, concat, hex } from '../decoders/build-packet.ts'

/** Reads the name at `at` of a message whose header is twelve zeros. */
function read(body: Bytes, at = 12): { text: string; nextAt: number; fault: string } {
  const bytes = concat(new Uint8Array(12), body)
  const into: NameReading = { text: '', nextAt: 0, fault: 0 }
  readName(bytes, 0, bytes.length, at, createNameMemo(bytes.length), into)
  return { text: into.text, nextAt: into.nextAt, fault: FAULT_NAMES[into.fault]! }
}

describe('presentation form', () => {
  test('escapes of RFC 1035 5.1', () => {
    const name = concat(4, ascii('a.b\\'), 5, hex('00 1b 20 7f ff'), 2, ascii('-_'), 0)
    expect(dnsNameText(name, 0, name.length)).toBe('a\\.b\\\\.\\000\\027\\032\\127\\255.-_')
    expect(read(name).text).toBe('a\\.b\\\\.\\000\\027\\032\\127\\255.-_')
  })

  test('the root is empty, case is kept, a name that breaks off gives what is there', () => {
    expect(dnsNameText(hex('00'), 0, 1)).toBe('')
    const name = wireName('WwW.Example')
    expect(dnsNameText(name, 0, name.length)).toBe('WwW.Example')
    expect(dnsNameText(name, 0, 7)).toBe('WwW.Ex')
  })

  test('round trip through the wire form', () => {
    const label = fc.uint8Array({ minLength: 1, maxLength: 63 })
    fc.assert(
      fc.property(fc.array(label, { maxLength: 5 }), (labels) => {
        const wire = concat(...labels.flatMap((bytes) => [bytes.length, bytes]), 0)
        fc.pre(wire.length <= 255)
        const text = dnsNameText(wire, 0, wire.length)
        expect(/^[\x21-\x7e]*$/.test(text)).toBe(true)
        expect(dnsNameWire(text)).toEqual(wire)
        expect(read(wire)).toEqual({ text, nextAt: 12 + wire.length, fault: 'none' })
      }),
      { seed: 1035, numRuns: 1000 },
    )
  })

  test.each(['a..b', '.', '.a', 'a\\', 'a\\25', 'a\\256', 'é', 'x'.repeat(64), `${'abc.'.repeat(63)}abc`])(
    'no name: %j',
    (text) => {
      expect(dnsNameWire(text)).toBeUndefined()
    },
  )

  test('a final dot is allowed', () => {
    expect(dnsNameWire('a.b.')).toEqual(wireName('a.b'))
    expect(dnsNameWire('')).toEqual(hex('00'))
  })
})

describe('compression, RFC 1035 4.1.4', () => {
  test('follows pointers backwards and stays where the name stood', () => {
    const body = concat(wireName('example.com'), pointer(12, 'www'), pointer(25, 'a'))
    expect(read(body, 25)).toEqual({ text: 'www.example.com', nextAt: 31, fault: 'none' })
    expect(read(body, 31)).toEqual({ text: 'a.www.example.com', nextAt: 35, fault: 'none' })
  })

  test.each([
    ['to itself', pointer(12), '', 'dns-name-pointer'],
    ['to its own label', pointer(12, 'a'), 'a', 'dns-name-pointer'],
    ['forward', concat(pointer(16, 'a'), wireName('b')), 'a', 'dns-name-pointer'],
    ['into the header', pointer(4, 'a'), 'a', 'dns-name-pointer'],
    ['half a pointer', concat(1, ascii('a'), 0xc0), 'a', 'dns-short'],
    ['reserved label type', concat(1, ascii('a'), 0x40, 0), 'a', 'dns-label-type'],
    ['no end', concat(1, ascii('a')), 'a', 'dns-short'],
    ['label cut off', concat(1, ascii('a'), 5, ascii('bc')), 'a', 'dns-short'],
  ])('%s', (_, body, text, fault) => {
    expect(read(body)).toMatchObject({ text, fault })
  })

  test('two pointers that lead to each other end', () => {
    const body = concat(pointer(14), pointer(12))
    expect(read(body, 14).fault).toBe('dns-name-pointer')
  })

  test('255 bytes in all, also when they are put together by pointers', () => {
    const label = 'x'.repeat(63)
    const tail = wireName([label, label, label].join('.'))
    expect(read(concat(tail, pointer(12, 'y'.repeat(61))), 12 + tail.length).fault).toBe('none')
    expect(read(concat(tail, pointer(12, 'y'.repeat(62))), 12 + tail.length).fault).toBe('dns-name-length')
  })

  test('the memo gives the same names as reading afresh', () => {
    const body = concat(wireName('a.b.example.com'), pointer(14, 'c'), pointer(29, 'd'), pointer(16))
    const bytes = concat(new Uint8Array(12), body)
    const memo = createNameMemo(bytes.length)
    const into: NameReading = { text: '', nextAt: 0, fault: 0 }
    const once = [12, 29, 33, 37, 33, 29, 12].map((at) => {
      readName(bytes, 0, bytes.length, at, memo, into)
      return into.text
    })
    expect(once).toEqual([12, 29, 33, 37, 33, 29, 12].map((at) => read(body, at).text))
    expect(once[2]).toBe('d.c.b.example.com')
  })
})

test('NetBIOS names, RFC 1001 14.1 and its example', () => {
  expect(netbiosName('EGFCEFEECACACACACACACACACACACACA')).toBe('FRED<20>')
  expect(netbiosName('EGFCEFEECACACACACACACACACACACAAA.netbios.com')).toBe('FRED<00>.netbios.com')
  expect(netbiosName('CKAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA')).toBe(`*${'\\000'.repeat(14)}<00>`)
  expect(netbiosName('example.com')).toBe('example.com')
  expect(netbiosName('EGFCEFEECACACACACACACACACACACAC')).toBe('EGFCEFEECACACACACACACACACACACAC')
})
