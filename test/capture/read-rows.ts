// What a capture source gives, as plain values, and files in a folder that goes away with the test.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CaptureSource } from '../../src/capture/source.ts'
import type { SpecPacket } from './build-capture.ts'

export interface Row {
  micros: number
  hex: string
  wireLen: number
  linkType: number
  interfaceId: number
  direction: number
  frame: number
}

/** Reads a source to its end and closes it. */
export async function readRows(source: CaptureSource): Promise<Row[]> {
  const rows: Row[] = []
  for (let batch = await source.next(); batch !== undefined; batch = await source.next()) {
    expect(batch.count).toBeGreaterThan(0)
    for (let i = 0; i < batch.count; i++) {
      const start = batch.startAt[i]!
      if (start + batch.capturedLen[i]! > batch.bytes.length) throw new Error(`row ${i} ends outside its bytes`)
      rows.push({
        micros: batch.timeMicros[i]!,
        hex: Buffer.from(batch.bytes.slice(start, start + batch.capturedLen[i]!)).toString('hex'),
        wireLen: batch.wireLen[i]!,
        linkType: batch.linkType[i]!,
        interfaceId: batch.interfaceId[i]!,
        direction: batch.direction[i]!,
        frame: batch.frameNumber[i]!,
      })
    }
    batch.release()
  }
  expect(await source.next()).toBeUndefined()
  await source.close()
  return rows
}

/** The rows that a file of these packets must give, on one Ethernet interface. */
export function expectedRows(packets: readonly SpecPacket[]): Row[] {
  return packets.map(({ micros, bytes, wireLen = bytes.length, direction = 0, interface: number = 0 }, i) => ({
    micros,
    hex: Buffer.from(bytes).toString('hex'),
    wireLen,
    linkType: 1,
    interfaceId: number,
    direction,
    frame: i + 1,
  }))
}

/** A folder of its own for this test file; call remove() in afterAll. */
export function temporaryFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'tunnelscope-capture-'))
  let count = 0
  return {
    /** Writes a file whose name says nothing of what it holds. */
    write(bytes: Uint8Array, name = `${count++}.bin`): string {
      const path = join(folder, name)
      writeFileSync(path, bytes)
      return path
    },
    path: (name: string) => join(folder, name),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  }
}
