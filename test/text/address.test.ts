import { isIPv4, isIPv6 } from 'node:net'
import fc from 'fast-check'
import { addressText, bytesAddressText, parseAddress } from '../../src/text/address.ts'

const text = (words: number[]) => addressText(Uint32Array.from(words), 0)

describe('addressText', () => {
  test.each([
    [[0, 0, 0xffff, 0xc0000201], '192.0.2.1'],
    [[0, 0, 0xffff, 0], '0.0.0.0'],
    [[0, 0, 0, 0], '::'],
    [[0, 0, 0, 1], '::1'],
    [[0x20010db8, 0, 0, 1], '2001:db8::1'],
    // RFC 5952 4.2.2: one zero group is not shortened. 4.2.3: the longest run, of two equal ones the first.
    [[0x20010db8, 0x00000001, 0x00010001, 0x00010001], '2001:db8:0:1:1:1:1:1'],
    [[0x20010000, 0x00000001, 0, 0x00000001], '2001:0:0:1::1'],
    [[0x20010db8, 0, 0x00010000, 0x00000001], '2001:db8::1:0:0:1'],
    [[0xfe800000, 0, 0x0abc0000, 0xffff0000], 'fe80::abc:0:ffff:0'],
    [[0x20010db8, 0x00010002, 0x00030004, 0], '2001:db8:1:2:3:4::'],
  ])('%j is %s', (words, expected) => {
    expect(text(words)).toBe(expected)
    expect(parseAddress(expected)).toEqual(words)
  })

  test('reads at an offset', () => {
    expect(addressText(Uint32Array.from([1, 2, 3, 4, 0x20010db8, 0, 0, 9]), 4)).toBe('2001:db8::9')
  })

  test('bytes of a record: a mapped address stays IPv6 and shows its IPv4 (RFC 5952 5)', () => {
    const mapped = Uint8Array.from([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 192, 0, 2, 1])
    expect(bytesAddressText(mapped, 0, 16)).toBe('::ffff:192.0.2.1')
    expect(bytesAddressText(mapped, 12, 4)).toBe('192.0.2.1')
  })
})

describe('parseAddress', () => {
  test.each([
    '',
    '1.2.3',
    '1.2.3.4.5',
    '1.2.3.256',
    '01.2.3.4',
    '1.2.3.4 ',
    ':',
    ':::',
    '1::2::3',
    '1:2:3:4:5:6:7',
    '1:2:3:4:5:6:7:8:9',
    '1:2:3:4:5:6:7::8:9',
    '12345::',
    'fe80::1%eth0',
    '::1.2.3',
    '1.2.3.4::',
    '[::1]',
    '::g',
  ])('refuses %j', (bad) => {
    expect(parseAddress(bad)).toBeUndefined()
  })

  test('other spellings of one address', () => {
    expect(parseAddress('2001:DB8:0:0::0001')).toEqual([0x20010db8, 0, 0, 1])
    expect(parseAddress('::ffff:192.0.2.1')).toEqual([0, 0, 0xffff, 0xc0000201])
    expect(parseAddress('1::')).toEqual([0x10000, 0, 0, 0])
    // RFC 4291 2.2: `::` stands for one or more groups.
    expect(parseAddress('1:2:3:4:5:6:7::')).toEqual([0x10002, 0x30004, 0x50006, 0x70000])
  })

  test('round trip, and agreement with the platform on what is an address', () => {
    const word = fc.oneof(fc.constant(0), fc.nat(0xffff), fc.nat(0xffffffff), fc.constant(0xffff))
    fc.assert(
      fc.property(fc.tuple(word, word, word, word), (words) => {
        const written = text(words)
        expect(parseAddress(written)).toEqual(words)
        expect(isIPv4(written) || isIPv6(written)).toBe(true)
      }),
      { seed: 5952, numRuns: 2000 },
    )
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...'0123:.f'), maxLength: 16 }), (candidate) => {
        expect([candidate, parseAddress(candidate) !== undefined]).toEqual([
          candidate,
          isIPv4(candidate) || isIPv6(candidate),
        ])
      }),
      { seed: 4291, numRuns: 5000 },
    )
  })
})
