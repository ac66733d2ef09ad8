// The kernel filter, run by a small interpreter of classic BPF; test/native/ring.test.ts has the kernel run it.
import { buildCaptureFilter, TCP_CUT_LEN } from '../../src/capture/filter.ts'
import { compileFilterExpression } from '../../src/capture/native-addon.ts'
import { MAX_PACKET_LEN } from '../../src/constants/limits.ts'
import { hasAddon, sayNotRun } from '../native/namespace.ts'

interface Frame {
  bytes: Uint8Array
  protocol?: number
  packetType?: number
  hardwareType?: number
}

/** Bytes the program keeps; 0 = dropped. A load beyond the packet drops it, as in the kernel. */
function run(program: Uint8Array, { bytes, protocol = 0x0800, packetType = 0, hardwareType = 1 }: Frame): number {
  const code = new DataView(program.buffer, program.byteOffset, program.byteLength)
  const data = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const ancillary: Record<number, number> = { 4294963200: protocol, 4294963204: packetType, 4294963228: hardwareType }
  let a = 0
  let x = 0
  for (let pc = 0; ; pc++) {
    const at = pc * 8
    const [op, yes, no, k] = [
      code.getUint16(at, true),
      code.getUint8(at + 2),
      code.getUint8(at + 3),
      code.getUint32(at + 4, true),
    ]
    const size = { 0: 4, 8: 2, 16: 1 }[op & 0x18]!
    const load = (from: number) => {
      if (from + size > bytes.length) return undefined
      return size === 4 ? data.getUint32(from) : size === 2 ? data.getUint16(from) : data.getUint8(from)
    }
    let loaded: number | undefined = a
    switch (op) {
      case 0x20:
      case 0x28:
      case 0x30:
        loaded = ancillary[k] ?? load(k)
        break
      case 0x40:
      case 0x48:
      case 0x50:
        loaded = load(x + k)
        break
      case 0x80:
        loaded = bytes.length
        break
      case 0xb1:
        x = (data.getUint8(k) & 15) * 4
        break
      case 0x54:
        loaded = (a & k) >>> 0
        break
      case 0x05:
        pc += k
        break
      case 0x15:
        pc += a === k ? yes : no
        break
      case 0x25:
        pc += a > k ? yes : no
        break
      case 0x35:
        pc += a >= k ? yes : no
        break
      case 0x45:
        pc += (a & k) !== 0 ? yes : no
        break
      case 0x06:
        return k
      default:
        throw new Error(`operation 0x${op.toString(16)}`)
    }
    if (loaded === undefined) return 0
    a = loaded
  }
}

function ipv4(protocol: number, len: number, ports: [number, number] = [40000, 443], fragmentOffset = 0): Uint8Array {
  const bytes = new Uint8Array(Math.max(len, 24))
  const view = new DataView(bytes.buffer)
  bytes[0] = 0x46
  view.setUint16(6, fragmentOffset)
  bytes[9] = protocol
  view.setUint16(24, ports[0])
  view.setUint16(26, ports[1])
  return bytes
}

function ipv6(next: number, len: number, ports: [number, number] = [40000, 443]): Uint8Array {
  const bytes = new Uint8Array(len)
  const view = new DataView(bytes.buffer)
  bytes[0] = 0x60
  bytes[6] = next
  view.setUint16(40, ports[0])
  view.setUint16(42, ports[1])
  return bytes
}

const own = buildCaptureFilter()
const WHOLE = MAX_PACKET_LEN
const TCP = 6
const UDP = 17

test.each<[string, Frame, number]>([
  ['TCP of a handshake', { bytes: ipv4(TCP, 1500) }, WHOLE],
  ['TCP in bulk', { bytes: ipv4(TCP, 9000) }, TCP_CUT_LEN],
  ['TCP at the limit', { bytes: ipv4(TCP, TCP_CUT_LEN) }, WHOLE],
  ['TCP just beyond', { bytes: ipv4(TCP, TCP_CUT_LEN + 1) }, TCP_CUT_LEN],
  ['a long answer of DNS over TCP', { bytes: ipv4(TCP, 9000, [53, 40000]) }, WHOLE],
  ['a long question of DNS over TCP', { bytes: ipv4(TCP, 9000, [40000, 53]) }, WHOLE],
  ['a second fragment of TCP', { bytes: ipv4(TCP, 9000, [0, 0], 185) }, WHOLE],
  ['UDP in bulk', { bytes: ipv4(UDP, 9000) }, WHOLE],
  ['IPv6 TCP in bulk', { bytes: ipv6(TCP, 9000), protocol: 0x86dd }, TCP_CUT_LEN],
  ['IPv6 DNS over TCP', { bytes: ipv6(TCP, 9000, [53, 1]), protocol: 0x86dd }, WHOLE],
  ['IPv6 UDP', { bytes: ipv6(UDP, 9000), protocol: 0x86dd }, WHOLE],
  ['IPv6 with extension headers', { bytes: ipv6(0, 9000), protocol: 0x86dd }, WHOLE],
  ['a header cut short', { bytes: Uint8Array.of(0x45), protocol: 0x0800 }, WHOLE],
  ['an IP packet with another version', { bytes: new Uint8Array(3000), protocol: 0x0800 }, WHOLE],
  ['ARP', { bytes: new Uint8Array(28), protocol: 0x0806 }, 0],
  ['spanning tree, which begins like IPv4', { bytes: Uint8Array.of(0x42, 0x42, 3), protocol: 4 }, 0],
  ['a VLAN tag before IP', { bytes: ipv4(UDP, 100), protocol: 0x8100 }, WHOLE],
  ['a VLAN tag before something else', { bytes: new Uint8Array(28), protocol: 0x8100 }, 0],
  ['sent on loopback', { bytes: ipv4(UDP, 100), hardwareType: 772, packetType: 4 }, 0],
  ['received on loopback', { bytes: ipv4(UDP, 100), hardwareType: 772, packetType: 0 }, WHOLE],
  ['sent on Ethernet', { bytes: ipv4(UDP, 100), packetType: 4 }, WHOLE],
])('%s', (_name, frame, kept) => {
  expect(run(own, frame)).toBe(kept)
})

test('-s cuts everything, and TCP no longer than it is cut anyway', () => {
  const short = buildCaptureFilter({ snapLen: 96 })
  expect(run(short, { bytes: ipv4(UDP, 9000) })).toBe(96)
  expect(run(short, { bytes: ipv4(TCP, 9000) })).toBe(96)
  expect(run(buildCaptureFilter({ snapLen: 4000 }), { bytes: ipv4(TCP, 9000) })).toBe(TCP_CUT_LEN)
})

test('an expression narrows and never widens', () => {
  if (!hasAddon) return sayNotRun('filter expressions')
  const port = buildCaptureFilter({ expression: compileFilterExpression('port 443') })
  expect(run(port, { bytes: ipv4(TCP, 9000) })).toBe(TCP_CUT_LEN)
  expect(run(port, { bytes: ipv4(UDP, 9000) })).toBe(WHOLE)
  expect(run(port, { bytes: ipv4(UDP, 9000, [40000, 53]) })).toBe(0)
  expect(run(port, { bytes: ipv4(UDP, 100), hardwareType: 772, packetType: 4 })).toBe(0)
  const everything = buildCaptureFilter({ expression: compileFilterExpression('') })
  expect(run(everything, { bytes: ipv4(TCP, 9000) })).toBe(TCP_CUT_LEN)
})

test('a wrong expression is one sentence with libpcap’s reason', () => {
  if (!hasAddon) return sayNotRun('wrong filter expressions')
  expect(() => compileFilterExpression('udp prot 53')).toThrow(/filter "udp prot 53": .*syntax error/)
  expect(() => compileFilterExpression('ether host 1:2:3:4:5:6')).toThrow(/packets start at the IP header/)
})
