// What our own requests in clear carry that is nobody's business, taken out of packets before they are written: the URL's
// query wherever it stands, and of the answers the cookies and the body. Lengths stay, checksums do not.
import { IPPROTO_TCP } from '../constants/wire.ts'
import { blankPayload } from '../daemon/blank-payload.ts'
import type { DecodedBatch } from '../model/decoded-batch.ts'
import type { PacketBatch } from '../model/packet-batch.ts'
import type { Target } from './target.ts'

const BLANK = 0x78

export type Blank = (batch: PacketBatch, out: DecodedBatch) => void

/** `isOwnPort`: a local port that we opened. The batch's bytes are changed. */
export function createBlank({ scheme, requestTarget, port }: Target, isOwnPort: (port: number) => boolean): Blank {
  if (scheme === 'https') return () => {}
  const queryAt = requestTarget.indexOf('?') + 1
  const whole = Buffer.from(`${requestTarget} HTTP/1.1`, 'latin1')

  /** Also where it travels in something that is not taken apart: a tunnel without encryption, an ICMP error. */
  function blankQuery(bytes: Buffer): void {
    for (let at = bytes.indexOf(whole); at >= 0; at = bytes.indexOf(whole, at + 1)) {
      bytes.fill(BLANK, at + queryAt, at + requestTarget.length)
    }
  }

  return (batch, out) => {
    const { bytes } = batch
    for (let row = 0; row < batch.count; row++) {
      const startAt = batch.startAt[row]!
      if (queryAt > 0) {
        blankQuery(Buffer.from(bytes.buffer, bytes.byteOffset + startAt, batch.capturedLen[row]!))
      }
      if (out.ipProtocol[row] !== IPPROTO_TCP || out.payloadLen[row] === 0) continue
      const isOurs =
        (out.dstPort[row] === port && isOwnPort(out.srcPort[row]!)) ||
        (out.srcPort[row] === port && isOwnPort(out.dstPort[row]!))
      const payloadAt = out.payloadAt[row]!
      if (isOurs) blankPayload(bytes, payloadAt, payloadAt + out.payloadLen[row]!, false)
    }
  }
}
