import fc from 'fast-check'
import { createAddressTable } from '../../../src/analysis/trackers/addresses.ts'
import { createNameTable, NO_NAME } from '../../../src/analysis/trackers/names.ts'
import { parseAddress } from '../../../src/text/address.ts'

/** A name in wire form with some bytes around it. */
function wire(labels: readonly string[]): { bytes: Uint8Array; at: number; endAt: number } {
  const body = labels.flatMap((label) => [label.length, ...Buffer.from(label, 'latin1')])
  const bytes = Uint8Array.from([0xff, ...body, 0, 0xff])
  return { bytes, at: 1, endAt: bytes.length - 1 }
}

function intern(table: ReturnType<typeof createNameTable>, labels: readonly string[], hash = 7): number {
  const { bytes, at, endAt } = wire(labels)
  return table.intern(bytes, at, endAt, hash)
}

describe('the name table', () => {
  test('gives one number per name, whatever the case of its ASCII letters, also when hashes collide', () => {
    const table = createNameTable()
    const first = intern(table, ['Www', 'Example'])
    expect(intern(table, ['wWW', 'eXAMPLE'])).toBe(first)
    expect(intern(table, ['ww', 'wexample'])).not.toBe(first)
    expect(table.text(first)).toBe('www.example')
    expect(table.count).toBe(3)
  })

  test('a cut, compressed, overlong or root name has no number', () => {
    const table = createNameTable()
    expect(intern(table, [])).toBe(NO_NAME)
    expect(table.intern(Uint8Array.of(3, 97, 98), 0, 3, 1)).toBe(NO_NAME)
    expect(table.intern(Uint8Array.of(1, 97, 0xc0, 12), 0, 4, 1)).toBe(NO_NAME)
    expect(intern(table, new Array(5).fill('x'.repeat(60)))).toBe(NO_NAME)
    expect(table.text(NO_NAME)).toBe('')
  })

  test('keeps thousands apart through its growth', () => {
    const table = createNameTable()
    const ids = Array.from({ length: 9000 }, (_, index) =>
      intern(table, [`n${index}`, 'example'], index * 2_654_435_761),
    )
    expect(new Set(ids).size).toBe(9000)
    expect(table.text(ids[8999]!)).toBe('n8999.example')
    expect(intern(table, ['n17', 'example'], 17 * 2_654_435_761)).toBe(ids[17])
  })
})

describe('the address table', () => {
  test('numbers addresses of both families and finds them again', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.oneof(fc.ipV4(), fc.ipV6()), {
          maxLength: 60,
          selector: (text) => String(parseAddress(text)),
        }),
        (texts) => {
          const table = createAddressTable()
          const words = texts.map((text) => Uint32Array.from(parseAddress(text)!))
          const ids = words.map((one) => table.intern(one, 0))
          expect(new Set(ids).size).toBe(texts.length)
          expect(words.map((one) => table.idOf(one, 0))).toEqual(ids)
          expect(words.map((one) => table.intern(one, 0))).toEqual(ids)
          expect(ids.map((id) => [0, 1, 2, 3].map((index) => table.word(id, index)))).toEqual(
            words.map((one) => [...one]),
          )
        },
      ),
    )
  })

  test('does not know what it never saw', () => {
    const table = createAddressTable()
    expect(table.idOf(Uint32Array.from([0, 0, 0xffff, 1]), 0)).toBe(-1)
  })

  test('grows beyond its first size', () => {
    const table = createAddressTable()
    const ids = Array.from({ length: 5000 }, (_, index) => table.intern(Uint32Array.from([0, 0, 0xffff, index]), 0))
    expect(new Set(ids).size).toBe(5000)
    expect(table.text(ids[300]!)).toBe('0.0.1.44')
    expect(table.isIpv4(ids[300]!)).toBe(true)
  })
})
