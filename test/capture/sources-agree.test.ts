// One list of packets in every flavour of capture file, through every way in: always the same rows.
import { spawn, spawnSync } from 'node:child_process'
import { createWriteStream, readFileSync } from 'node:fs'
import { gzipSync } from 'node:zlib'
import { openMerged } from '../../src/capture/merge.ts'
import { openCapture, openSequence } from '../../src/capture/open-capture.ts'
import { fileOf, pcapngParts, pcapParts, type SpecPacket, samplePackets, zstdFrame } from './build-capture.ts'
import { expectedRows, type Row, readRows, temporaryFolder } from './read-rows.ts'

const folder = temporaryFolder()
afterAll(() => folder.remove())

const packets = samplePackets()
const plain = fileOf(pcapParts(packets))

// `zstd -19` of the plain file above: compressed blocks and a checksum, which our own builder does not make.
const ZSTD_OF_PLAIN = readFileSync(new URL('./sample.pcap.zst.base64', import.meta.url), 'latin1')

const FLAVOURS: [name: string, format: string, bytes: Uint8Array][] = [
  ['pcap, little-endian', 'pcap', plain],
  ['pcap, big-endian', 'pcap', fileOf(pcapParts(packets, { little: false }))],
  ['pcap with nanoseconds', 'pcap-ns', fileOf(pcapParts(packets, { kind: 'nanos' }))],
  ['pcap with nanoseconds, big-endian', 'pcap-ns', fileOf(pcapParts(packets, { kind: 'nanos', little: false }))],
  ['modified pcap', 'pcap-modified', fileOf(pcapParts(packets, { kind: 'modified' }))],
  ['modified pcap, big-endian', 'pcap-modified', fileOf(pcapParts(packets, { kind: 'modified', little: false }))],
  ['pcap with a frame check length', 'pcap', fileOf(pcapParts(packets, { network: 0x24000001 }))],
  ['pcap 2.2', 'pcap', fileOf(pcapParts(packets, { version: [2, 2], swapLengths: true }))],
  ['pcap 2.3, lengths swapped', 'pcap', fileOf(pcapParts(packets, { version: [2, 3], swapLengths: true }))],
  ['pcap 2.3', 'pcap', fileOf(pcapParts(packets, { version: [2, 3] }))],
  ['pcapng, little-endian', 'pcapng', fileOf(pcapngParts(packets))],
  ['pcapng, big-endian', 'pcapng', fileOf(pcapngParts(packets, { little: false }))],
  ['pcapng with old packet blocks', 'pcapng', fileOf(pcapngParts(packets, { kind: 'oldPacket' }))],
  ['pcap.gz', 'pcap, gzip', gzipSync(plain)],
  [
    'pcap.gz in two members',
    'pcap, gzip',
    Buffer.concat([gzipSync(plain.subarray(0, 99)), gzipSync(plain.subarray(99))]),
  ],
  ['pcapng.gz', 'pcapng, gzip', gzipSync(fileOf(pcapngParts(packets)))],
  ['pcap.zst of raw blocks', 'pcap, zstd', fileOf(zstdFrame(plain))],
  [
    'pcap.zst in three frames, one to skip',
    'pcap, zstd',
    Buffer.concat([
      fileOf(zstdFrame(plain.subarray(0, 50))),
      Buffer.from([0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]),
      fileOf(zstdFrame(plain.subarray(50))),
    ]),
  ],
  ['pcap.zst as zstd makes it', 'pcap, zstd', Buffer.from(ZSTD_OF_PLAIN, 'base64')],
]

test.each(FLAVOURS)('%s', async (_name, format, bytes) => {
  const path = folder.write(bytes)
  for (const open of [openCapture, (name: string) => openMerged([name])]) {
    const source = await open(path)
    expect(await readRows(source)).toEqual(expectedRows(packets))
    expect(source.inputs).toEqual([
      {
        name: path,
        format,
        packets: packets.length,
        bytes: packets.reduce((sum, { wireLen }) => sum + wireLen!, 0),
        firstMicros: packets[0]!.micros,
        lastMicros: packets.at(-1)!.micros,
        late: 0,
      },
    ])
    expect(source.interfaces).toEqual([
      { id: 0, inputIndex: 0, inputName: path, linkType: 1, snapLen: 262144, addresses: [] },
    ])
  }
})

test('a simple packet block has the time of the packet before it, and the snap length says what was kept', async () => {
  const source = await openCapture(folder.write(fileOf(pcapngParts(packets, { kind: 'simplePacket' }))))
  // The fourth packet says that it was longer: without its own captured length the block's room is what there is.
  const rows = await readRows(source)
  expect(rows.map(({ wireLen, frame }) => [wireLen, frame])).toEqual(packets.map(({ wireLen }, i) => [wireLen, i + 1]))
  expect(rows.map(({ micros }) => micros)).toEqual(packets.map(() => 0))
  const whole = rows.map(({ hex }, i) => hex.slice(0, packets[i]!.bytes.length * 2))
  expect(whole).toEqual(expectedRows(packets).map(({ hex }) => hex))
})

test.each([
  ['pcapng', pcapngParts],
  ['modified pcap', (list: SpecPacket[]) => pcapParts(list, { kind: 'modified', little: false })],
] as const)('directions in %s', async (_name, build) => {
  const marked = packets.map((packet, i) => ({ ...packet, direction: i % 3 }))
  expect(await readRows(await openCapture(folder.write(fileOf(build(marked)))))).toEqual(expectedRows(marked))
})

test('standard input', () => {
  const child = (input: Uint8Array) => {
    const hooks = new URL('./typescript-hooks.mjs', import.meta.url).href
    const script = new URL('./print-rows.ts', import.meta.url).pathname
    const { stdout } = spawnSync(process.execPath, ['--import', hooks, script, '-'], { encoding: 'utf8', input })
    return JSON.parse(stdout) as { rows: Row[]; inputs: { name: string }[] }
  }
  for (const input of [plain, gzipSync(plain), fileOf(zstdFrame(plain))]) {
    const { rows, inputs } = child(input)
    expect(rows).toEqual(expectedRows(packets))
    expect(inputs[0]!.name).toBe('-')
  }
})

test('a named pipe that gives a few bytes at a time', async () => {
  const path = folder.path('pipe')
  expect(spawnSync('mkfifo', [path]).status).toBe(0)
  const writer = createWriteStream(path)
  const write = async () => {
    for (const byte of plain) await new Promise((resolve) => writer.write(Buffer.of(byte), resolve))
    writer.end()
  }
  const [rows] = await Promise.all([openCapture(path).then(readRows), write()])
  expect(rows).toEqual(expectedRows(packets))
})

test('a pipe gives what is there before the writer ends', async () => {
  const path = folder.path('live')
  spawnSync('mkfifo', [path])
  const writer = spawn('sh', ['-c', `exec cat > "${path}"`], { stdio: ['pipe', 'inherit', 'inherit'] })
  writer.stdin.write(plain)
  const source = await openCapture(path)
  const batch = await source.next()
  expect(batch?.count).toBe(packets.length)
  writer.stdin.end()
  expect(await source.next()).toBeUndefined()
  await source.close()
})

test('a sequence gives one capture after the other and numbers frames in each', async () => {
  const paths = [folder.write(plain), folder.write(fileOf(pcapngParts(packets, { little: false })))]
  const source = await openSequence(paths)
  const once = expectedRows(packets)
  expect(await readRows(source)).toEqual([...once, ...once.map((row) => ({ ...row, interfaceId: 1 }))])
  expect(source.interfaces.map(({ inputIndex, inputName }) => [inputIndex, inputName])).toEqual([
    [0, paths[0]],
    [1, paths[1]],
  ])
})
