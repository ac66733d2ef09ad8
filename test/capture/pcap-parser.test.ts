// Classic files against npm's pcap-parser, which reads microseconds in both byte orders.
import { createReadStream } from 'node:fs'
import * as fc from 'fast-check'
import pcapParser from 'pcap-parser'
import { openCapture } from '../../src/capture/open-capture.ts'
import { fileOf, pcapParts } from './build-capture.ts'
import { readRows, temporaryFolder } from './read-rows.ts'

const folder = temporaryFolder()
afterAll(() => folder.remove())

interface ParsedPacket {
  header: { timestampSeconds: number; timestampMicroseconds: number; originalLength: number }
  data: Buffer
}

function parse(path: string): Promise<[micros: number, wireLen: number, hex: string][]> {
  return new Promise((resolve, reject) => {
    const rows: [number, number, string][] = []
    const parser = pcapParser.parse(createReadStream(path))
    parser.on('packet', ({ header, data }: ParsedPacket) => {
      const micros = header.timestampSeconds * 1e6 + header.timestampMicroseconds
      rows.push([micros, header.originalLength, data.toString('hex')])
    })
    parser.on('end', () => resolve(rows))
    parser.on('error', reject)
  })
}

test('any classic capture is read alike', async () => {
  const packet = fc.record({
    micros: fc.integer({ min: 0, max: 2 ** 32 * 1e6 - 1 }),
    bytes: fc.uint8Array({ minLength: 1, maxLength: 40 }),
    cutLen: fc.nat(2000),
  })
  await fc.assert(
    fc.asyncProperty(fc.array(packet, { minLength: 1, maxLength: 20 }), fc.boolean(), async (list, little) => {
      const packets = list.map(({ micros, bytes, cutLen }) => ({ micros, bytes, wireLen: bytes.length + cutLen }))
      const path = folder.write(fileOf(pcapParts(packets, { little })), 'capture')
      const rows = await readRows(await openCapture(path))
      expect(rows.map(({ micros, wireLen, hex }) => [micros, wireLen, hex])).toEqual(await parse(path))
    }),
  )
})
