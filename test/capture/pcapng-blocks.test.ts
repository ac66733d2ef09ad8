// What a pcapng file says beside its packets: interfaces, clocks, statistics, names, secrets, sections.
import { openCapture, openSequence } from '../../src/capture/open-capture.ts'
import { MAX_ANNEX_SECRETS_LEN, MAX_OPTION_TEXT_LEN } from '../../src/constants/limits.ts'
import { fileOf, type Part, pcapngWriter, samplePackets } from './build-capture.ts'
import { readRows, temporaryFolder } from './read-rows.ts'

const folder = temporaryFolder()
afterAll(() => folder.remove())
const [packet] = samplePackets(1)

async function read(parts: readonly Part[]) {
  const source = await openCapture(folder.write(fileOf(parts)))
  const rows = await readRows(source)
  return { rows, source, damage: source.inputs[0]!.damage }
}

describe.each([true, false])('little-endian: %s', (little) => {
  const write = pcapngWriter(little)

  test('an interface with everything', async () => {
    const v6 = Buffer.from('20010db800000000000000000000000140', 'hex')
    const { source } = await read([
      write.section([[1, 'of the section']]),
      write.interface(276, 96, [
        [2, 'wg0'],
        [3, 'the tunnel'],
        [1, 'a comment\0junk'],
        [4, Uint8Array.of(10, 0, 0, 1, 255, 255, 255, 0)],
        [4, Uint8Array.of(10, 0, 0, 2, 255, 255, 255, 0)],
        [5, v6],
        [11, '\0udp port 53'],
        [12, 'Linux'],
      ]),
    ])
    expect(source.interfaces[0]).toMatchObject({
      linkType: 276,
      snapLen: 96,
      name: 'wg0',
      description: 'the tunnel',
      comment: 'a comment',
      addresses: ['10.0.0.1', '10.0.0.2', '2001:db8::1'],
      filter: 'udp port 53',
    })
  })

  test('a name of nothing but a NUL is none', async () => {
    const { source } = await read([write.section(), write.interface(1, 0, [[2, '\0']])])
    expect(source.interfaces[0]!.name).toBeUndefined()
  })

  test('each interface has its own clock, and a negative offset is one', async () => {
    const { rows } = await read([
      write.section(),
      write.interface(1, 0),
      write.interface(1, 0, [[9, Uint8Array.of(9)]]),
      write.interface(1, 0, [[9, Uint8Array.of(0x80 | 20)]]),
      write.interface(1, 0, [
        [9, Uint8Array.of(3)],
        [14, write.uint64(-5)],
      ]),
      write.enhancedPacket({ ...packet!, interface: 0 }, 1_700_000_000_123_456),
      write.enhancedPacket({ ...packet!, interface: 1 }, 1_700_000_000_123_456_789n),
      write.enhancedPacket({ ...packet!, interface: 2 }, (1_700_000_000n << 20n) + (1n << 19n)),
      write.enhancedPacket({ ...packet!, interface: 3 }, 7_001),
    ])
    expect(rows.map(({ micros }) => micros)).toEqual([
      1_700_000_000_123_456, 1_700_000_000_123_456, 1_700_000_000_500_000, 2_001_000,
    ])
  })

  test('statistics: the last block of an interface counts, its two kinds of drops together', async () => {
    const { source } = await read([
      write.section(),
      write.interface(1, 0, [[9, Uint8Array.of(9)]]),
      write.interface(1, 0),
      write.statistics(0, [[4, write.uint64(5)]]),
      write.statistics(0, [
        [2, write.stamp(1_000_000_000n)],
        [3, write.stamp(3_000_001_999n)],
        [4, write.uint64(2 ** 33 + 1)],
        [5, write.uint64(7)],
        [7, write.uint64(3)],
      ]),
      write.statistics(9, [[4, write.uint64(5)]]),
    ])
    expect(source.interfaces.map(({ statistics }) => statistics)).toEqual([
      { startMicros: 1e6, endMicros: 3_000_001, received: 2 ** 33 + 1, dropped: 10 },
      undefined,
    ])
  })

  test('statistics in microseconds beside nanosecond packets, as dumpcap writes them', async () => {
    const micros = 1_700_000_000_000_000
    const { source } = await read([
      write.section(),
      write.interface(1, 0, [[9, Uint8Array.of(9)]]),
      write.enhancedPacket({ bytes: Uint8Array.of(1, 2, 3), micros }, BigInt(micros) * 1000n),
      write.statistics(0, [
        [2, write.stamp(BigInt(micros - 5))],
        [3, write.stamp(BigInt(micros + 7))],
      ]),
    ])
    expect(source.interfaces[0]!.statistics).toEqual({ startMicros: micros - 5, endMicros: micros + 7 })
  })

  test('names and key logs go to the annex, other secrets and unknown blocks do not', async () => {
    const v6 = Buffer.from('fe800000000000000000000000000001', 'hex')
    const { source, rows } = await read([
      write.section(),
      write.interface(1, 0),
      write.names([
        [1, Buffer.concat([Uint8Array.of(192, 0, 2, 1), Buffer.from('one.example\0uno.example\0')])],
        [77, Uint8Array.of(1, 2, 3)],
        [2, Buffer.concat([v6, Buffer.from('six.example\0')])],
      ]),
      write.secrets(0x544c534b, 'CLIENT_RANDOM aa bb\n'),
      write.secrets(0x57474b4c, 'wireguard'),
      write.block(0x0bad, Buffer.alloc(9)),
      write.enhancedPacket(packet!),
    ])
    expect(source.annex).toEqual({
      names: [
        { address: '192.0.2.1', names: ['one.example', 'uno.example'] },
        { address: 'fe80::1', names: ['six.example'] },
      ],
      tlsKeyLogs: ['CLIENT_RANDOM aa bb\n'],
      tlsKeyLogsLen: 20 + 64,
    })
    expect(rows.length).toBe(1)
  })

  test('a section of the other byte order has interfaces of its own', async () => {
    const other = pcapngWriter(!little)
    const { source, rows } = await read([
      write.section(),
      write.interface(1, 0, [[2, 'eth0']]),
      write.enhancedPacket(packet!),
      other.section(),
      other.interface(101, 0, [[2, 'tun0']]),
      other.enhancedPacket(packet!),
      write.section(),
      write.enhancedPacket(packet!),
    ])
    expect(rows.map(({ linkType, interfaceId, frame }) => [linkType, interfaceId, frame])).toEqual([
      [1, 0, 1],
      [101, 1, 2],
    ])
    expect(source.interfaces.map(({ name }) => name)).toEqual(['eth0', 'tun0'])
    expect(source.inputs[0]!.damage?.reason).toMatch(/names interface 0, which is not described/)
  })

  test('a simple packet is as long as the snap length allows', async () => {
    const bytes = Uint8Array.of(1, 2, 3, 4, 5, 6)
    const { rows } = await read([
      write.section(),
      write.interface(1, 6),
      write.enhancedPacket(packet!),
      write.simplePacket({ micros: 0, bytes, wireLen: 60 }),
    ])
    expect(rows[1]).toMatchObject({ hex: '010203040506', wireLen: 60, micros: packet!.micros })
  })

  test('a length that leaves out the padding is understood', async () => {
    const parts = [write.section(), write.interface(1, 0), write.enhancedPacket(packet!), write.enhancedPacket(packet!)]
    const odd = parts[2]!.bytes
    const statedLen = odd.length - (-packet!.bytes.length & 3)
    const view = new DataView(odd.buffer, odd.byteOffset, odd.length)
    view.setUint32(4, statedLen, little)
    view.setUint32(odd.length - 4, statedLen, little)
    expect(statedLen % 4).toBe(2)
    expect((await read(parts)).rows.length).toBe(2)
  })
})

test('long texts are cut and secrets are bounded', async () => {
  const write = pcapngWriter()
  const big = Buffer.alloc((MAX_ANNEX_SECRETS_LEN * 3) / 4, 'k')
  const { source, damage } = await read([
    write.section(),
    write.interface(1, 0, [[2, Buffer.alloc(60_000, 'n')]]),
    write.secrets(0x544c534b, big),
    write.secrets(0x544c534b, big),
    write.secrets(0x544c534b, 'small'),
  ])
  expect(damage).toBeUndefined()
  expect(source.interfaces[0]!.name!.length).toBe(MAX_OPTION_TEXT_LEN)
  expect(source.annex.tlsKeyLogs.map(({ length }) => length)).toEqual([big.length, 5])
})

test('a file of nothing but secrets costs no more than its length', async () => {
  const write = pcapngWriter()
  const small = write.secrets(0x544c534b, 'k')
  const many = Array.from({ length: 300_000 }, () => small)
  const before = performance.now()
  const { source } = await read([write.section(), write.interface(1, 0), ...many])
  expect(performance.now() - before).toBeLessThan(5000)
  expect(source.annex.tlsKeyLogs.length).toBeLessThan(many.length)
})

test('a sequence shares one annex', async () => {
  const write = pcapngWriter()
  const file = fileOf([write.section(), write.secrets(0x544c534b, 'a')])
  const source = await openSequence([folder.write(file), folder.write(file)])
  await readRows(source)
  expect(source.annex.tlsKeyLogs).toEqual(['a', 'a'])
})
