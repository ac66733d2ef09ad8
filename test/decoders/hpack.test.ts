// HPACK with the examples of RFC 7541 Appendix C, and at every length.
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { HpackReader } from '../../src/decoders/hpack.ts'
import { HPACK_HUFFMAN_SYMBOLS, HPACK_STATIC_TABLE } from '../../src/decoders/hpack-tables.ts'
import { everyEnd } from './every-end.ts'

const bytesOf = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))

function read(reader: HpackReader, bytes: Uint8Array, endAt = bytes.length): string[] {
  const fields: string[] = []
  const isSound = reader.read(bytes, 0, endAt, (name, value) => fields.push(`${name}: ${value}`))
  return isSound ? fields : [...fields, 'broken']
}

const GET = [':method: GET', ':scheme: http', ':path: /', ':authority: www.example.com']

test.each([
  [
    'C.3, without Huffman coding',
    '828684410f7777772e6578616d706c652e636f6d',
    '828684be58086e6f2d6361636865',
    '828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565',
  ],
  [
    'C.4, with it',
    '828684418cf1e3c2e5f23a6ba0ab90f4ff',
    '828684be5886a8eb10649cbf',
    '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf',
  ],
])('requests of RFC 7541 %s', (_name, first, second, third) => {
  const reader = new HpackReader()
  expect(read(reader, bytesOf(first))).toEqual(GET)
  expect(read(reader, bytesOf(second))).toEqual([...GET, 'cache-control: no-cache'])
  expect(read(reader, bytesOf(third))).toEqual([
    ':method: GET',
    ':scheme: https',
    ':path: /index.html',
    ':authority: www.example.com',
    'custom-key: custom-value',
  ])
})

test('responses of RFC 7541 C.6.1 and C.6.2 in a table of 256 bytes, which evicts', () => {
  const reader = new HpackReader()
  const rest = ['cache-control: private', 'date: Mon, 21 Oct 2013 20:13:21 GMT', 'location: https://www.example.com']
  const first =
    '488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3'
  expect(read(reader, bytesOf(`3fe101${first}`))).toEqual([':status: 302', ...rest])
  expect(read(reader, bytesOf('4883640effc1c0bf'))).toEqual([':status: 307', ...rest])
  // 302, the oldest entry, had to make room: of four entries the last is now "cache-control".
  expect(read(reader, bytesOf('c1'))).toEqual(['cache-control: private'])
  expect(read(reader, bytesOf('c2'))).toEqual(['broken'])
})

test('the tables are complete: 61 entries, and a code without a gap for 256 symbols and the end', () => {
  expect(HPACK_STATIC_TABLE.length).toBe(61)
  expect(HPACK_HUFFMAN_SYMBOLS.flat().toSorted((a, b) => a - b)).toEqual(Array.from({ length: 257 }, (_, i) => i))
  expect(HPACK_HUFFMAN_SYMBOLS.reduce((sum, symbols, bits) => sum + symbols.length / 2 ** bits, 0)).toBe(1)
})

test('a table takes the memory of its texts, not of the pieces they were made of', () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const heapUsed = () => {
    collect()
    return process.memoryUsage().heapUsed
  }
  const TEXT_LEN = 8000
  const tableOf = (huffman: number) => {
    const reader = new HpackReader()
    // A table of 64 KiB, `:authority` with a text as long as texts may be; packed, each eight bytes are thirteen characters.
    const head = [0x3f, 0xe1, 0xff, 0x03, 0x41, huffman | 0x7f, ((TEXT_LEN - 127) & 0x7f) | 0x80, (TEXT_LEN - 127) >> 7]
    const block = Uint8Array.from([...head, ...new Array<number>(TEXT_LEN).fill(huffman === 0 ? 0x61 : 0)])
    expect(reader.read(block, 0, block.length, () => {})).toBe(true)
    return reader
  }
  const readers: HpackReader[] = []
  for (const huffman of [0x80, 0]) {
    const before = heapUsed()
    for (let i = 0; i < 200; i++) readers.push(tableOf(huffman))
    expect((heapUsed() - before) / 200).toBeLessThan(2 * TEXT_LEN)
  }
  expect(readers.length).toBe(400)
})

test('at every length', () => {
  const block = bytesOf('828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf')
  const answers = everyEnd(block, (bytes, endAt) => {
    const reader = new HpackReader()
    read(reader, bytesOf('828684418cf1e3c2e5f23a6ba0ab90f4ff'))
    read(reader, bytesOf('828684be5886a8eb10649cbf'))
    return read(reader, bytes, endAt)
  })
  expect(answers.map((fields) => fields.at(-1) !== 'broken')).toEqual(
    answers.map((_, endAt) => endAt <= 4 || endAt === block.length),
  )
})

test.each([
  ['index 0', '80'],
  ['an index beyond both tables', 'ff20'],
  ['an integer without end', 'ffffffffffffffff'],
  ['a table larger than we keep', '3fe1ff1f'],
  ['a text longer than the block', '400a61'],
])('%s is broken', (_name, hex) => {
  expect(read(new HpackReader(), bytesOf(hex)).at(-1)).toBe('broken')
})
