// Inputs that lie, and inputs that are none: bounded memory, the right place, one helpful sentence.
import { ftruncateSync, mkdirSync, openSync, writeSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import * as fc from 'fast-check'
import { openMerged } from '../../src/capture/merge.ts'
import { openCapture, openSequence } from '../../src/capture/open-capture.ts'
import { MAX_INTERFACES } from '../../src/constants/limits.ts'
import {
  fileOf,
  gzipWithBadChecksum,
  type Part,
  pcapngParts,
  pcapngWriter,
  pcapParts,
  samplePackets,
  zstdFrame,
} from './build-capture.ts'
import { expectedRows, readRows, temporaryFolder } from './read-rows.ts'

const folder = temporaryFolder()
afterAll(() => folder.remove())
const packets = samplePackets(3)
const write = pcapngWriter()
const part = (bytes: Buffer): Part => ({ bytes, isPacket: false })

/** The last part with its 32-bit field at `at` overwritten. */
function withField(parts: Part[], at: number, value: number): Part[] {
  const last = Buffer.from(parts.at(-1)!.bytes)
  last.writeUInt32LE(value, at)
  return [...parts.slice(0, -1), part(last)]
}

/** Each lies in its last part, after `packets` that are good. */
const LIES: [name: string, parts: Part[], reason: RegExp][] = [
  [
    'pcap: a packet of 4 GB',
    withField(pcapParts([...packets, packets[0]!]), 8, 0xffffffff),
    /4294967295 bytes cannot be/,
  ],
  ['pcap: a packet of 256 KB and one', withField(pcapParts([...packets, packets[0]!]), 8, 262145), /cannot be/],
  ['pcap: zeros up to the end', [...pcapParts(packets), part(Buffer.alloc(4096))], /zeros stand where a packet should/],
  ['pcapng: a block of 0 bytes', withField(pcapngParts([...packets, packets[0]!]), 4, 0), /cannot be 0 bytes long/],
  ['pcapng: a packet block of 2 GB', withField(pcapngParts([...packets, packets[0]!]), 4, 0x80000000), /cannot be/],
  ['pcapng: a packet longer than its block', withField(pcapngParts([...packets, packets[0]!]), 20, 999), /room/],
  ['pcapng: an interface that is not there', withField(pcapngParts([...packets, packets[0]!]), 8, 1), /interface 1/],
  [
    'pcapng: an unknown block of 4 GB',
    [...pcapngParts(packets), part(Buffer.from('aabbccddffffffff00000000', 'hex'))],
    /ends within/,
  ],
  [
    'pcapng: secrets of 1 GB',
    [...pcapngParts(packets), part(Buffer.from('0a0000000000004000000000', 'hex'))],
    /ends within/,
  ],
  [
    'pcapng: a section of no byte order',
    withField([...pcapngParts(packets), write.section()], 8, 0x12345678),
    /byte-order/,
  ],
  ['pcapng: a section of version 2', [...pcapngParts(packets), write.section([], 2)], /version 2/],
  [
    'pcapng: lengths that differ',
    withField([...pcapngParts(packets), write.section()], 24, 32),
    /lengths of a block differ/,
  ],
]

test.each(LIES)('%s', async (_name, parts, reason) => {
  const source = await openCapture(folder.write(fileOf(parts)))
  expect(await readRows(source)).toEqual(expectedRows(packets))
  const damage = source.inputs[0]!.damage
  expect(damage?.offset).toBe(fileOf(parts.slice(0, -1)).length)
  expect(damage?.reason).toMatch(reason)
})

test('more interfaces than anyone has', async () => {
  const parts = [write.section(), ...Array.from({ length: MAX_INTERFACES + 1 }, () => write.interface(1, 0))]
  const source = await openCapture(folder.write(fileOf(parts)))
  expect(await readRows(source)).toEqual([])
  expect(source.interfaces.length).toBe(MAX_INTERFACES)
  expect(source.inputs[0]!.damage).toMatchObject({ offset: fileOf(parts.slice(0, -1)).length })
})

test('options that run over their block end the list, not the reading', async () => {
  const bad = write.interface(1, 0, [[2, 'eth0']])
  bad.bytes.writeUInt16LE(0xffff, 18)
  const source = await openCapture(folder.write(fileOf([write.section(), bad, write.enhancedPacket(packets[0]!)])))
  expect((await readRows(source)).length).toBe(1)
  expect(source.interfaces[0]!.name).toBeUndefined()
})

test('an unknown block of 64 MB is passed over without being held', async () => {
  const path = folder.write(new Uint8Array(0))
  const fd = openSync(path, 'r+')
  const head = fileOf(pcapngParts(packets.slice(0, 1)))
  const len = 64 * 1024 * 1024
  const frame = Buffer.alloc(8)
  frame.writeUInt32LE(0x0bad, 0)
  frame.writeUInt32LE(len, 4)
  writeSync(fd, Buffer.concat([head, frame]))
  ftruncateSync(fd, head.length + len)
  writeSync(fd, write.enhancedPacket(packets[1]!).bytes, 0, null, head.length + len)
  const source = await openCapture(path)
  const before = process.memoryUsage().arrayBuffers
  expect((await readRows(source)).map(({ frame: number }) => number)).toEqual([1, 2])
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(16 << 20)
  expect(source.inputs[0]!.damage).toBeUndefined()
})

test('damage of a compression is told as such, after what could be unpacked', async () => {
  const plain = fileOf(pcapParts(packets))
  const wrongBlock = Buffer.concat([fileOf(zstdFrame(plain)).subarray(0, 20), Buffer.alloc(50, 0xff)])
  for (const [bytes, reason, packetCount] of [
    [gzipWithBadChecksum(plain), /gzip data is damaged \(incorrect data check\)/, packets.length],
    [Buffer.concat([fileOf(zstdFrame(plain)), Buffer.from('junk')]), /zstd data is damaged \(no frame/, packets.length],
    [wrongBlock, /no readable capture|zstd data is damaged/, 0],
  ] as const) {
    const source = await openSequence([folder.write(bytes), folder.write(plain)])
    expect((await readRows(source)).length).toBe(packetCount + packets.length)
    expect(source.inputs[0]!.damage!.reason).toMatch(reason)
    expect(source.inputs[1]!.damage).toBeUndefined()
  }
})

test('a zstd window of 2 GB, a dictionary, and a bomb are refused', async () => {
  const plain = fileOf(pcapParts(packets))
  const frame = fileOf(zstdFrame(plain))
  const wide = Buffer.from(frame)
  wide[5] = 21 << 3
  await expect(openCapture(folder.write(wide))).rejects.toMatchObject({
    code: 'input-not-capture',
    message: /too large/,
  })
  const dictionary = Buffer.concat([Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 1, 7 << 3, 9]), frame.subarray(6)])
  await expect(openCapture(folder.write(dictionary))).rejects.toMatchObject({ message: /dictionary/ })
  // One byte out of each block, in a window of 8 MB that fzstd moves every time.
  const tiny = Buffer.concat([
    Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 13 << 3]),
    Buffer.from(Array.from({ length: 20_000 }, (_, n) => [8, 0, 0, n % 16 === 0 ? 1 : 0]).flat()),
  ])
  const bomb = Buffer.concat([fileOf(zstdFrame(plain)), tiny])
  const source = await openCapture(folder.write(bomb))
  // What comes out are records without bytes, of second 1, until the budget is spent.
  expect((await readRows(source)).slice(0, 3)).toEqual(expectedRows(packets))
  expect(source.inputs[0]!.damage!.reason).toMatch(/for ever/)
})

test('what is no capture is told in a sentence', async () => {
  mkdirSync(folder.path('folder'))
  const cases: [path: string, code: string, sentence: RegExp][] = [
    [folder.path('nowhere.pcap'), 'input-missing', /nowhere\.pcap/],
    [folder.path('folder'), 'input-directory', /folder is a directory/],
    [folder.write(new Uint8Array(0)), 'input-empty', /is empty/],
    [folder.write(Buffer.from('{"json": true}')), 'input-not-capture', /neither pcap nor pcapng/],
    [folder.write(Buffer.from('ab')), 'input-not-capture', /starts with 6162/],
    [folder.write(Buffer.from('736e6f6f700000000000000200000004', 'hex')), 'input-not-capture', /snoop.*editcap/],
    [folder.write(Buffer.from('fd377a585a000004', 'hex')), 'input-not-capture', /xz -d/],
    [folder.write(gzipSync('plain text, compressed')), 'input-not-capture', /within its gzip/],
  ]
  for (const [path, code, message] of cases) {
    await expect(openCapture(path)).rejects.toMatchObject({ name: 'OperatorError', code, message })
    await expect(openMerged([path])).rejects.toMatchObject({ code })
  }
  await expect(openCapture('')).rejects.toMatchObject({ code: 'input-missing' })
  await expect(openMerged([])).rejects.toMatchObject({ code: 'input-none' })
  await expect(openSequence(['-', '-'])).rejects.toMatchObject({ code: 'input-repeated' })
})

test('among several, what is no capture is damage of that input; what is missing stops the run', async () => {
  const good = folder.write(fileOf(pcapParts(packets)))
  const source = await openSequence([folder.write(Buffer.from('no capture')), good])
  expect((await readRows(source)).length).toBe(packets.length)
  expect(source.inputs[0]!.damage).toMatchObject({ offset: 0, reason: /is no capture/ })
  await expect(openSequence([good, folder.path('gone')])).rejects.toMatchObject({ code: 'input-missing' })
})

test('time zero, backwards and far ahead are just times', async () => {
  const odd = [0, 5, 2 ** 32 * 1e6 - 1, 1].map((micros) => ({ ...packets[0]!, micros }))
  for (const parts of [pcapParts(odd), pcapngParts(odd)]) {
    const source = await openCapture(folder.write(fileOf(parts)))
    expect((await readRows(source)).map(({ micros }) => micros)).toEqual(odd.map(({ micros }) => micros))
    expect(source.inputs[0]).toMatchObject({ firstMicros: 0, lastMicros: 2 ** 32 * 1e6 - 1 })
  }
})

test('any mutation of any flavour is read to an end or refused', async () => {
  const files = [pcapParts(packets), pcapngParts(packets), zstdFrame(fileOf(pcapParts(packets)))].map(fileOf)
  files.push(gzipSync(files[1]!))
  const change = fc.tuple(fc.nat(), fc.integer({ min: 0, max: 255 }))
  await fc.assert(
    fc.asyncProperty(
      fc.constantFrom(...files),
      fc.array(change, { minLength: 1, maxLength: 4 }),
      async (file, changes) => {
        const bytes = Buffer.from(file)
        for (const [at, value] of changes) bytes[at % bytes.length] = value
        const opened = await openMerged([folder.write(bytes, 'mutated')]).catch((error: Error) => error.name)
        const agrees =
          typeof opened === 'string'
            ? opened === 'OperatorError'
            : (await readRows(opened)).length === opened.inputs[0]!.packets
        expect(agrees).toBe(true)
      },
    ),
    { numRuns: 500 },
  )
})
