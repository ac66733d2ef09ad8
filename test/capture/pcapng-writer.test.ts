// What the writer writes, our reader and tshark read.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { openCapture } from '../../src/capture/open-capture.ts'
import { CONTEXT_COMMENT, PcapngWriter } from '../../src/capture/pcapng-writer.ts'
import type { CaptureInterface } from '../../src/model/capture-interface.ts'
import type { InterfaceState, NetworkContext } from '../../src/model/network-context.ts'
import { createPacketBatch, type PacketBatch } from '../../src/model/packet-batch.ts'
import { readRows, temporaryFolder } from './read-rows.ts'

const folder = temporaryFolder()
afterAll(() => folder.remove())

const T0 = 1_795_000_000_000_000

const interfaces: CaptureInterface[] = ['eth0', 'wg0'].map((name, id) => ({
  id,
  inputIndex: 0,
  inputName: 'live',
  linkType: 101,
  snapLen: 2048,
  name,
  addresses: [],
}))

/** Rows of an IPv4 header each, one microsecond and one byte more with each row. */
function batchOf(count: number, firstMicros: number, interfaceId: number): PacketBatch {
  const batch = createPacketBatch(Math.max(count, 1))
  batch.bytes = new Uint8Array(100_000).map((_, i) => (i % 251) + 1)
  batch.count = count
  for (let row = 0; row < count; row++) {
    batch.timeMicros[row] = firstMicros + row
    batch.startAt[row] = row * 7
    batch.capturedLen[row] = 20 + (row % 50)
    batch.wireLen[row] = 20 + (row % 50) + (row % 3) * 1000
    batch.linkType[row] = 101
    batch.interfaceId[row] = interfaceId
    batch.direction[row] = row % 3
  }
  return batch
}

function context(timeMicros: number, up: readonly string[], more: Partial<NetworkContext> = {}): NetworkContext {
  const states = up.map(
    (name, i): InterfaceState => ({
      link: { index: i + 1, name, hardwareType: 1, flags: 0, mtu: 1500, up: true, carrier: true },
      role: name === 'wg0' ? 'tunnel' : 'physical',
      reason: 'test',
      addresses: [{ interfaceIndex: i + 1, family: 4, address: '10.0.0.1', prefixLen: 24, scope: 0 }],
    }),
  )
  const nothing = { routes: [], rules: [], dnsServers: [], searchDomains: [], egress: [], tunnels: [], endpoints: [] }
  return { timeMicros, changes: ['start'], interfaces: states, ...nothing, routesCut: false, ...more }
}

test('rows come back as they were; an interface is described when it appears', async () => {
  const path = folder.path('live.pcapng')
  const writer = new PcapngWriter(path, {
    application: 'tunnelscope test',
    context: context(T0, ['eth0']),
    filter: 'udp',
  })
  const first = batchOf(4000, T0 + 1000, 0)
  const second = batchOf(3000, T0 + 900_000, 1)
  writer.write(first, interfaces.slice(0, 1))
  writer.noteContext(context(T0 + 500_000, ['eth0', 'wg0']))
  writer.write(second, interfaces, 1000, 2000)
  writer.noteContext(context(T0 + 2_000_000, ['eth0']))
  writer.close(interfaces, T0 + 3_000_000, 17)
  writer.close(interfaces, T0 + 3_000_000, 17)

  const source = await openCapture(path)
  const rows = await readRows(source)
  expect(rows).toHaveLength(5000)
  const expected = (batch: PacketBatch, row: number) => ({
    micros: batch.timeMicros[row],
    hex: Buffer.from(batch.bytes.slice(batch.startAt[row]!, batch.startAt[row]! + batch.capturedLen[row]!)).toString(
      'hex',
    ),
    wireLen: batch.wireLen[row],
    interfaceId: batch.interfaceId[row],
    direction: batch.direction[row],
  })
  for (let row = 0; row < 4000; row++) expect(rows[row]).toMatchObject(expected(first, row))
  for (let row = 1000; row < 2000; row++) expect(rows[3000 + row]).toMatchObject(expected(second, row))
  // The tunnel's block says when it was up, not when it was quiet.
  expect(source.interfaces).toMatchObject([
    {
      name: 'eth0',
      linkType: 101,
      filter: 'udp',
      statistics: { startMicros: T0, endMicros: T0 + 3_000_000, received: 4000, dropped: 17 },
    },
    {
      name: 'wg0',
      statistics: { startMicros: T0 + 500_000, endMicros: T0 + 2_000_000, received: 1000, dropped: 0 },
    },
  ])
})

test('the context stands in the section header, with the next packet, and at the end', () => {
  const path = folder.path('context.pcapng')
  const writer = new PcapngWriter(path, { application: 'test', context: context(T0, ['eth0']) })
  writer.noteContext(context(T0 + 1, ['eth0', 'wg0']))
  writer.write(batchOf(2, T0 + 5, 0), interfaces)
  writer.noteContext(context(T0 + 9, []))
  writer.close(interfaces, T0 + 10, 0)
  const found = [
    ...readFileSync(path, 'latin1').matchAll(new RegExp(`${CONTEXT_COMMENT}(\\{.*?\\})(?=[\\0-\\x1f])`, 'g')),
  ]
  expect(found.map(([, json]) => (JSON.parse(json!) as NetworkContext).timeMicros)).toEqual([T0, T0 + 1, T0 + 9])
})

test('a context too long for a comment leaves its routes behind', () => {
  const path = folder.path('long.pcapng')
  const route = {
    family: 4 as const,
    destination: '10.0.0.0',
    prefixLen: 8,
    table: 254,
    priority: 0,
    type: 'unicast' as const,
    scope: 0,
    protocol: 3,
    nextHops: [],
  }
  const routes = Array.from({ length: 5000 }, () => route)
  const writer = new PcapngWriter(path, { application: 'test', context: context(T0, ['eth0'], { routes }) })
  writer.close([], T0, 0)
  const text = readFileSync(path, 'latin1')
  expect(text).toContain('"routesCut":true')
  expect(text.length).toBeLessThan(4000)
})

test('tshark reads it: times, directions, comments, no complaint', () => {
  const path = folder.path('tshark.pcapng')
  const writer = new PcapngWriter(path, { application: 'test', context: context(T0, ['eth0']) })
  writer.noteContext(context(T0 + 1, ['eth0', 'wg0']))
  writer.write(batchOf(3, T0 + 5, 0), interfaces)
  writer.close(interfaces, T0 + 10, 0)
  const fields = ['frame.time_epoch', 'frame.packet_flags', 'frame.interface_name', 'frame.cap_len', 'frame.len']
  const { status, stdout, stderr, error } = spawnSync(
    'tshark',
    ['-r', path, '-T', 'fields', ...fields.flatMap((name) => ['-e', name])],
    { encoding: 'utf8' },
  )
  if (error !== undefined) {
    console.log('did not run: tshark is not installed')
    return
  }
  expect(stderr.replace(/Running as user.*\n/, '')).toBe('')
  expect(status).toBe(0)
  const rows = stdout
    .trim()
    .split('\n')
    .map((line) => line.split('\t'))
  expect(rows.map((row) => row.slice(1))).toEqual([
    ['0x00000000', 'eth0', '20', '20'],
    ['0x00000001', 'eth0', '21', '1021'],
    ['0x00000002', 'eth0', '22', '2022'],
  ])
  expect(rows[0]![0]).toMatch(/^1795000000\.000005/)
})

test('a full disk and a path that cannot be written are one sentence', () => {
  expect(() => new PcapngWriter('/nowhere/at/all.pcapng', { application: 'test' })).toThrow(/cannot be written/)
  const writer = new PcapngWriter('/dev/full', { application: 'test' })
  writer.write(batchOf(5, T0, 0), interfaces)
  expect(() => writer.flush()).toThrow(/the disk is full/)
})
