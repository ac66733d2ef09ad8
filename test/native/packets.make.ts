// Makes a classic pcap of Ethernet frames with UDP datagrams of mixed sizes, for tcpreplay.
import { writeFileSync } from 'node:fs'

const SIZES = [64, 64, 90, 120, 300, 600, 1400]

/** Writes `count` frames from 10.9.0.1 to 10.9.0.2, always the same ones. */
export function makePackets(path: string, count: number): void {
  const parts: Buffer[] = []
  const head = Buffer.alloc(24)
  head.writeUInt32LE(0xa1b2c3d4, 0)
  head.writeUInt16LE(2, 4)
  head.writeUInt16LE(4, 6)
  head.writeUInt32LE(65535, 16)
  head.writeUInt32LE(1, 20)
  parts.push(head)
  for (let i = 0; i < count; i++) {
    const payloadLen = SIZES[(i * 7919) % SIZES.length]!
    const frame = Buffer.alloc(42 + payloadLen)
    frame.write('020000000002020000000001', 0, 'hex')
    frame.writeUInt16BE(0x0800, 12)
    frame[14] = 0x45
    frame.writeUInt16BE(28 + payloadLen, 16)
    frame.writeUInt16BE(i & 0xffff, 18)
    frame[22] = 64
    frame[23] = 17
    frame.set([10, 9, 0, 1, 10, 9, 0, 2], 26)
    frame.writeUInt16BE(1024 + (i % 60000), 34)
    frame.writeUInt16BE(53, 36)
    frame.writeUInt16BE(8 + payloadLen, 38)
    const record = Buffer.alloc(16)
    record.writeUInt32LE(i, 0)
    record.writeUInt32LE(frame.length, 8)
    record.writeUInt32LE(frame.length, 12)
    parts.push(record, frame)
  }
  writeFileSync(path, Buffer.concat(parts))
}
