// `-r FILE expression`: which packets it keeps, whatever their link type, and what is told of the rest.
import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openCapture } from '../../src/capture/open-capture.ts'
import { openCaptures } from '../../src/capture/open-captures.ts'
import { PacketFilter } from '../../src/capture/packet-filter.ts'
import { analyze } from '../../src/daemon/pipeline.ts'
import { OperatorError } from '../../src/model/operator-error.ts'
import { hasAddon, sayNotRun } from '../native/namespace.ts'
import { fileOf, pcapngParts, type SpecPacket } from './build-capture.ts'
import { type Row, readRows, temporaryFolder } from './read-rows.ts'

const EXAMPLE = fileURLToPath(new URL('../../examples/leak.pcapng', import.meta.url))
const CAPTURES = fileURLToPath(new URL('../../../shared/captures/', import.meta.url))
const folder = temporaryFolder()
afterAll(() => folder.remove())

async function framesOf(path: string, expression?: string): Promise<number[]> {
  const source = await openCapture(path, expression === undefined ? undefined : new PacketFilter(expression))
  return (await readRows(source)).map((row) => row.frame)
}

/** By the bytes: UDP or TCP with a port 53, over IPv4 or IPv6, behind Ethernet or bare. */
function isPort53(row: Row): boolean {
  const bytes = Buffer.from(row.hex, 'hex').subarray(row.linkType === 1 ? 14 : 0)
  const isV4 = bytes[0]! >> 4 === 4
  const protocol = isV4 ? bytes[9] : bytes[6]
  const at = isV4 ? (bytes[0]! & 15) * 4 : 40
  return (protocol === 6 || protocol === 17) && [bytes.readUInt16BE(at), bytes.readUInt16BE(at + 2)].includes(53)
}

if (!hasAddon) {
  test('filters of captures did not run', () => sayNotRun('filters of captures'))
} else {
  test('over two interfaces of different link types, in one file or merged; frames keep their numbers', async () => {
    const rows = await readRows(await openCapture(EXAMPLE))
    expect(new Set(rows.map((row) => row.linkType)).size).toBe(2)
    const wanted = rows.filter(isPort53).map((row) => row.frame)
    expect(wanted.length).toBeGreaterThan(10)
    expect(await framesOf(EXAMPLE, 'port 53')).toEqual(wanted)
    const others = rows.map((row) => row.frame).filter((frame) => !wanted.includes(frame))
    expect(await framesOf(EXAMPLE, 'not port 53')).toEqual(others)
    const merged = await readRows(await openCaptures([EXAMPLE], new PacketFilter('port 53')))
    expect(merged.map((row) => row.frame).sort((a, b) => a - b)).toEqual(wanted)
  })

  test('raw IP, which libpcap numbers otherwise in files', async () => {
    const ip = (protocol: number): SpecPacket => {
      const bytes = new Uint8Array(28)
      bytes.set([0x45, 0, 0, 28])
      bytes[9] = protocol
      return { micros: protocol, bytes }
    }
    const packets = [6, 17, 1, 17].map(ip)
    expect(await framesOf(folder.write(fileOf(pcapngParts(packets, { linkTypes: [101] }))), 'udp')).toEqual([2, 4])
  })

  test('the report tells how much was left out, and is not complete', async () => {
    const verdictOf = async (filter?: PacketFilter) => {
      const options = { version: 'test', tunnels: [], physicals: [], vpnResolvers: [] }
      return (await analyze(await openCaptures([EXAMPLE], filter), options)).report().verdict
    }
    expect(await verdictOf()).toMatchObject({ complete: true, coverage: { packets: 171 } })
    expect(await verdictOf(new PacketFilter('port 53'))).toMatchObject({
      complete: false,
      reasons: ['The filter left out 149 of 171 packets.'],
      coverage: { packets: 171 },
    })
    expect(await verdictOf(new PacketFilter(''))).toMatchObject({ complete: true })
  })

  test.each([
    ['udp prot 53', /^filter "udp prot 53": .*syntax error/],
    ['inbound', /^filter "inbound": no filter for a capture file: it asks what the kernel knows only/],
  ])('%s is refused with one sentence', async (expression, words) => {
    await expect(framesOf(EXAMPLE, expression)).rejects.toThrow(OperatorError)
    await expect(framesOf(EXAMPLE, expression)).rejects.toThrow(words)
  })

  const hasTcpdump = spawnSync('tcpdump', ['--version']).status === 0
  const isThere = existsSync(join(CAPTURES, 'LIST.txt'))
  if (!hasTcpdump || !isThere) {
    console.log('not run: filters as tcpdump has them (needs tcpdump and ../shared/captures)')
  } else {
    /** Every 9th: of all makers and link types. */
    const paths = readFileSync(join(CAPTURES, 'LIST.txt'), 'utf8')
      .trim()
      .split('\n')
      .filter((_, index) => index % 9 === 0)
    test.each([
      'port 53',
      'not (tcp or udp)',
      'tcp[tcpflags] & (tcp-syn|tcp-fin) != 0 or udp[8:2] % 7 = 3',
      'ip6 protochain 17 or (vlan and ip)',
      'greater 300 and (net 192.168.0.0/16 or src portrange 1-1023 or icmp)',
    ])(
      'tcpdump keeps as many packets by: %s',
      async (expression) => {
        let compared = 0
        for (const path of paths) {
          const file = join(CAPTURES, path)
          const { status, stdout } = spawnSync('tcpdump', ['-nr', file, '--count', expression], { encoding: 'utf8' })
          if (status !== 0) continue
          const kept = await framesOf(file, expression)
          expect([path, kept.length]).toEqual([path, Number.parseInt(stdout, 10)])
          compared++
        }
        expect(compared).toBeGreaterThan(50)
      },
      60_000,
    )
  }
}
