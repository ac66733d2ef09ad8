import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseContext } from '../../src/capture/context-comment.ts'
import { openCapture } from '../../src/capture/open-capture.ts'
import { contextComment, PcapngWriter } from '../../src/capture/pcapng-writer.ts'
import { LINKTYPE_RAW } from '../../src/constants/wire.ts'
import type { NetworkContext } from '../../src/model/network-context.ts'
import { createPacketBatch } from '../../src/model/packet-batch.ts'

const context: NetworkContext = {
  timeMicros: 1_700_000_000_000_000,
  changes: ['start'],
  interfaces: [
    {
      link: { index: 2, name: 'eth0', hardwareType: 1, flags: 4163, mtu: 1500, up: true, carrier: true },
      role: 'physical',
      reason: 'a network card',
      addresses: [{ interfaceIndex: 2, family: 4, address: '192.0.2.7', prefixLen: 24, scope: 0 }],
    },
    {
      link: {
        index: 5,
        name: 'wg0',
        kind: 'wireguard',
        hardwareType: 65534,
        flags: 209,
        mtu: 1420,
        up: true,
        carrier: true,
      },
      role: 'tunnel',
      reason: 'kind wireguard',
      addresses: [],
    },
  ],
  routes: [],
  rules: [],
  dnsServers: [{ address: '10.64.0.1', port: 53, source: '/etc/resolv.conf' }],
  searchDomains: ['lan'],
  egress: [{ family: 4, interfaceIndex: 5, mode: 'full', physicalIndex: 2 }],
  tunnels: [{ interfaceIndex: 5, name: 'wg0', family: 4, state: 'up' }],
  endpoints: [{ address: '203.0.113.10', interfaceIndex: 2, basis: 'host-route' }],
  routesCut: true,
  tcpMtuProbing: 1,
}
const at = (seconds: number, changes: string[]): NetworkContext => ({
  ...context,
  timeMicros: context.timeMicros + seconds * 1e6,
  changes,
})

test('a context comes back as it was written', () => {
  expect(parseContext(contextComment(context))).toEqual(context)
  expect(parseContext(contextComment({ ...context, watched: ['eth0'] }))?.watched).toEqual(['eth0'])
  expect(parseContext(contextComment({ ...context, gaps: ['No routes.'] }))?.gaps).toEqual(['No routes.'])
})

describe('hostile comments', () => {
  const bytes = (text: string) => new TextEncoder().encode(text)

  test.each([
    ['another comment', 'seen at the airport'],
    ['no JSON', 'tunnelscope-context {'],
    ['a list', 'tunnelscope-context []'],
    ['no time', 'tunnelscope-context {"interfaces":[{"link":{"name":"a","index":1},"role":"tunnel"}]}'],
    ['no interface', 'tunnelscope-context {"timeMicros":1,"interfaces":[null,3,{"link":{}}]}'],
    [
      'a role nobody knows',
      'tunnelscope-context {"timeMicros":1,"interfaces":[{"link":{"name":"a","index":1},"role":"x"}]}',
    ],
  ])('%s is passed over', (_, text) => {
    expect(parseContext(bytes(text))).toBeUndefined()
  })

  test('wrong fields are left out, the rest is kept', () => {
    const wrong = JSON.parse(JSON.stringify(context)) as Record<string, unknown>
    Object.assign(wrong, {
      changes: [1, 'up', {}],
      tunnels: 'all',
      egress: [{ family: 5, mode: 'full' }],
      endpoints: [{}],
    })
    const read = parseContext(bytes(`tunnelscope-context ${JSON.stringify(wrong)}`))
    expect(read).toEqual({ ...context, changes: ['up'], tunnels: [], egress: [], endpoints: [] })
  })
})

test('every context of a capture is read: head, packets, silence, end', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'context-'))
  try {
    const path = join(folder, 'live.pcapng')
    const writer = new PcapngWriter(path, { application: 'test', context })
    const interfaces = [
      { id: 0, inputIndex: 0, inputName: 'live', linkType: LINKTYPE_RAW, snapLen: 0, name: 'eth0', addresses: [] },
    ]
    const batch = createPacketBatch(1)
    batch.bytes = new Uint8Array(64)
    batch.count = 1
    batch.capturedLen[0] = 64
    batch.wireLen[0] = 64
    batch.timeMicros[0] = context.timeMicros + 3e6
    for (let n = 1; n < 10; n++) writer.noteContext(at(n / 10, [`early ${n}`]))
    writer.noteContext(at(1, ['one']))
    writer.noteContext(at(2, ['two']))
    writer.write(batch, interfaces)
    for (let n = 4; n < 14; n++) writer.noteContext(at(n, [`change ${n}`]))
    writer.close(interfaces, context.timeMicros + 20e6, 0)
    const source = await openCapture(path)
    for (let next = await source.next(); next !== undefined; next = await source.next()) next.release()
    expect(source.inputs[0]?.damage).toBeUndefined()
    expect(source.annex.contexts?.map(({ changes }) => changes[0])).toEqual([
      'start',
      ...Array.from({ length: 9 }, (_, n) => `early ${n + 1}`),
      'one',
      'two',
      ...Array.from({ length: 10 }, (_, n) => `change ${n + 4}`),
    ])
    await source.close()
  } finally {
    rmSync(folder, { recursive: true })
  }
})
