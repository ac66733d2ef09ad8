// A ring of files is one capture: in however many files it was cut, the analysis says the same, and every packet that it
// names is found where it says.
import { readFileSync } from 'node:fs'
import { ringName } from '../../src/capture/continued-inputs.ts'
import { openMerged } from '../../src/capture/merge.ts'
import { analyze } from '../../src/daemon/pipeline.ts'
import type { Report } from '../../src/model/report.ts'
import { fileOf, pcapngParts, pcapParts, type SpecPacket } from './build-capture.ts'
import { readRows, temporaryFolder } from './read-rows.ts'

const folder = temporaryFolder()
afterAll(() => folder.remove())

const EXAMPLE = new URL('../../examples/leak.pcapng', import.meta.url).pathname
const EPB = 6
const ISB = 5

/** The blocks of a little-endian pcapng file. */
function blocksOf(file: Buffer): Buffer[] {
  const blocks: Buffer[] = []
  for (let at = 0; at < file.length; at += file.readUInt32LE(at + 4)) {
    blocks.push(file.subarray(at, at + file.readUInt32LE(at + 4)))
  }
  return blocks
}

const blocks = blocksOf(readFileSync(EXAMPLE))
const isBlock = (kind: number) => (block: Buffer) => block.readUInt32LE(0) === kind
const packets = blocks.filter(isBlock(EPB))
const statistics = blocks.filter(isBlock(ISB))
const head = blocks.slice(0, blocks.findIndex(isBlock(EPB))).filter((block) => block.readUInt32LE(0) !== ISB)

/** The example in files of so many packets, with its statistics in the last one, as dumpcap writes them. */
function ringOf(packetsEach: number): string[] {
  const paths: string[] = []
  for (let from = 0; from < packets.length; from += packetsEach) {
    const isLast = from + packetsEach >= packets.length
    const some = [...head, ...packets.slice(from, from + packetsEach), ...(isLast ? statistics : [])]
    paths.push(folder.write(Buffer.concat(some), `ring${packetsEach}_${`${from}`.padStart(5, '0')}.pcapng`))
  }
  return paths
}

async function analysed(paths: readonly string[]): Promise<Report> {
  const source = await openMerged(paths)
  const analyzer = await analyze(source, { version: 'test', tunnels: [], physicals: [], vpnResolvers: [] })
  await source.close()
  return analyzer.report()
}

/** What is said, without where: evidence as the packet's number in the whole. */
function said(report: Report, packetsEach: number) {
  const number = (source: string, frame: number): number =>
    packetsEach === 0 ? frame : Number(source.match(/_(\d+)\.pcapng/)![1]) + frame
  const text = JSON.stringify({ ...report, inputs: report.inputs.flatMap((one) => one.interfaces) }, (_, value) => {
    if (typeof value?.source !== 'string' || typeof value.frame !== 'number') return value
    return { ...value, source: '', frame: number(value.source, value.frame) }
  })
  return JSON.parse(text)
}

test.each([1, 2, 7, 30, 43, 85, 170])('the example in files of %d packets', async (packetsEach) => {
  expect(said(await analysed(ringOf(packetsEach)), packetsEach)).toEqual(said(await analysed([EXAMPLE]), 0))
})

test('files may be named in any order', async () => {
  const report = await analysed(ringOf(30).reverse())
  expect(report.inputs.map((one) => one.interfaces.length)).toEqual([0, 0, 0, 0, 0, 2])
  expect(report.findings.map((one) => one.id)).toEqual((await analysed([EXAMPLE])).findings.map((one) => one.id))
})

const packet = (micros: number, number = 0): SpecPacket => ({ micros, bytes: new Uint8Array(14), interface: number })
const idsOf = async (paths: readonly string[]) => {
  const source = await openMerged(paths)
  return (await readRows(source)).map((row) => [row.interfaceId, row.frame])
}

test('captures that overlap are two', async () => {
  const names = { names: ['eth0'] }
  const one = folder.write(fileOf(pcapngParts([packet(10), packet(30)], names)), 'overlap-one.pcapng')
  const two = folder.write(fileOf(pcapngParts([packet(20), packet(40)], names)), 'overlap-two.pcapng')
  expect((await idsOf([one, two])).map(([id]) => id)).toEqual([0, 1, 0, 1])
})

test('an interface of another name or link type begins anew, another of the same file does not', async () => {
  const one = folder.write(
    fileOf(pcapngParts([packet(10, 0), packet(11, 1)], { names: ['eth0', 'tun0'], linkTypes: [1, 101] })),
    'names-one.pcapng',
  )
  const two = folder.write(
    fileOf(pcapngParts([packet(20, 0), packet(21, 1)], { names: ['eth0', 'tun1'], linkTypes: [1, 101] })),
    'names-two.pcapng',
  )
  expect(await idsOf([one, two])).toEqual([
    [0, 1],
    [1, 2],
    [0, 3],
    [3, 4],
  ])
})

test('captures without names go on by the names of their files', async () => {
  const write = (name: string, micros: number) => folder.write(fileOf(pcapParts([packet(micros)])), name)
  const ring = ['cap.pcap', 'cap.pcap1', 'cap.pcap2'].map((name, index) => write(name, index))
  expect(await idsOf(ring)).toEqual([
    [0, 1],
    [0, 2],
    [0, 3],
  ])
  expect((await idsOf([write('eth0.pcap', 1), write('wlan0.pcap', 2)])).map(([id]) => id)).toEqual([0, 1])
})

test.each([
  ['/var/cap.pcap', '/var/cap.pcap12', true],
  ['cap.pcap00', 'cap.pcap01', true],
  ['cap.pcap.gz', 'cap.pcap1.gz', true],
  ['c_00001_20260115120000.pcapng', 'c_00002_20260115120003.pcapng', true],
  ['cap-2026-01-15_23:59.pcap', 'cap-2026-01-16_00:04.pcap', true],
  ['before.pcap', 'after.pcap', false],
  ['wg0.pcap', 'wg1.pcap', false],
  ['a/cap.pcap', 'b/cap.pcap', false],
])('%s and %s of one ring: %s', (one, other, isRing) => {
  expect(ringName(one) === ringName(other)).toBe(isRing)
})

test('what the files say of losses is added up', async () => {
  const report = await analysed(
    ringOf(60).map((path, index) => {
      const block = Buffer.alloc(36)
      block.writeUInt32LE(ISB, 0)
      block.writeUInt32LE(36, 4)
      block.writeUInt32LE(0, 8)
      block.writeUInt16LE(5, 20)
      block.writeUInt16LE(8, 22)
      block.writeBigUInt64LE(BigInt(index + 1), 24)
      block.writeUInt32LE(36, 32)
      const file = blocksOf(readFileSync(path)).filter((one) => one.readUInt32LE(0) !== ISB)
      return folder.write(Buffer.concat([...file, block]), `loss_0000${index}.pcapng`)
    }),
  )
  expect(report.inputs[0]!.interfaces[0]!.dropped).toBe(6)
  expect(report.verdict.coverage.dropped).toBe(6)
  expect(report.findings.filter((one) => one.id === 'capture-loss')).toHaveLength(1)
})

test('interfaces without names are told apart by their order, those without packets too', async () => {
  const write = (name: string, ...some: SpecPacket[]) =>
    folder.write(fileOf(pcapngParts(some, { linkTypes: [1, 1, 1] })), name)
  const ring = [
    write('u_00.pcapng', packet(1, 1)),
    write('u_01.pcapng', packet(2, 2), packet(3, 1)),
    write('u_02.pcapng'),
  ]
  const source = await openMerged(ring)
  const rows = await readRows(source)
  expect(rows.map((row) => [row.interfaceId, row.frame])).toEqual([
    [1, 1],
    [2, 2],
    [1, 3],
  ])
  expect(source.interfaces.map((one) => one.isContinuation === true)).toEqual([
    ...[false, false, false],
    ...Array.from({ length: 6 }, () => true),
  ])
})
