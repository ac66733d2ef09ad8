import { decodeBatch } from '../../src/decoders/decode-batch.ts'
import type { CaptureInterface } from '../../src/model/capture-interface.ts'
import { createDecodedBatch } from '../../src/model/decoded-batch.ts'
import { DIRECTION_OUT } from '../../src/model/packet-batch.ts'
import { packetLine } from '../../src/text/packet-line.ts'
import { message, pointer, question, record } from '../decoders/build-dns.ts'
import {
  type Bytes,
  batchOf,
  be16,
  be32,
  concat,
  dnsQuery,
  ethernet,
  hex,
  icmp,
  ipv4,
  ipv6,
  tcp,
  udp,
  vlanTag,
} from '../decoders/build-packet.ts'

const TIME = Date.UTC(2026, 10, 22, 17, 3, 14) * 1000 + 123_456

function lineOf(bytes: Bytes, wireLen = bytes.length, name = 'eth0', direction = 0, linkType = 1): string {
  const face: CaptureInterface = { id: 0, inputIndex: 0, inputName: 'x', linkType: 1, snapLen: 0, name, addresses: [] }
  const batch = batchOf([{ bytes, timeMicros: TIME, wireLen, linkType }])
  batch.direction[0] = direction
  const out = createDecodedBatch(1)
  decodeBatch(batch, out)
  return packetLine(batch, out, 0, [face])
}

const NETBIOS_NAME = concat(32, new TextEncoder().encode('EGFCEFEECACACACACACACACACACACACA'), 0)
const PREFIX = '2026-11-22 17:03:14.123456 eth0 '
const v4 = (protocol: number, payload: Bytes, options = {}) =>
  ethernet(0x0800, ipv4(protocol, payload, { src: '192.0.2.1', dst: '198.51.100.2', ...options }))

test.each<[string, Bytes, string]>([
  [
    'nbns: types and the broadcast bit are NetBIOS’s own',
    v4(17, udp(137, 137, message({ id: 1, flags: 0x0110, questions: [question(NETBIOS_NAME, 32)] }))),
    'IP 192.0.2.1.137 > 198.51.100.2.137: nbns 1+ NB? FRED<20> (50)',
  ],
  [
    'DNS query',
    v4(17, udp(40000, 53, dnsQuery(12345, 'example.com', 28))),
    'IP 192.0.2.1.40000 > 198.51.100.2.53: 12345+ AAAA? example.com (29)',
  ],
  [
    'DNS answer',
    v4(
      17,
      udp(
        53,
        40000,
        message({
          id: 1,
          flags: 0x8583,
          questions: [question('a.b')],
          answers: [record(pointer(12), 1, hex('c0000201')), record(pointer(12), 15, concat(be16(5), pointer(12)))],
        }),
      ),
    ),
    'IP 192.0.2.1.53 > 198.51.100.2.40000: 1* NXDOMAIN A? a.b 2/0/0 A 192.0.2.1, MX 5 a.b (53)',
  ],
  [
    'mDNS',
    v4(17, udp(5353, 5353, message({ id: 0, flags: 0, questions: [question('x.local', 12, 0x8001)] })), {
      dst: '224.0.0.251',
    }),
    'IP 192.0.2.1.5353 > 224.0.0.251.5353: mdns 0 PTR (QU)? x.local (25)',
  ],
  [
    'SYN',
    v4(
      6,
      tcp(40000, 443, new Uint8Array(0), {
        seq: 5,
        ack: 0,
        flags: 0x02,
        window: 64240,
        options: [2, 4, 5, 0xb4, 4, 2, 1, 3, 3, 7],
      }),
    ),
    'IP 192.0.2.1.40000 > 198.51.100.2.443: Flags [S], seq 5, win 64240, options [mss 1460,sackOK,wscale 7], length 0',
  ],
  [
    'TCP data, sequence wraps',
    v4(6, tcp(1, 2, new Uint8Array(10), { seq: 0xfffffffb, ack: 9, flags: 0x18, window: 1 })),
    'IP 192.0.2.1.1 > 198.51.100.2.2: Flags [P.], seq 4294967291:5, ack 9, win 1, length 10',
  ],
  [
    'SACK',
    v4(
      6,
      tcp(1, 2, new Uint8Array(0), {
        seq: 5,
        ack: 9,
        flags: 0x10,
        window: 1,
        options: [1, 1, 5, 10, ...be32(100), ...be32(200)],
      }),
    ),
    'IP 192.0.2.1.1 > 198.51.100.2.2: Flags [.], ack 9, win 1, options [sack 1 {100:200}], length 0',
  ],
  [
    'too big',
    v4(
      1,
      icmp(3, 4, 1420, ipv4(6, concat(be16(44000), be16(443), be32(1)), { src: '198.51.100.2', dst: '203.0.113.9' })),
    ),
    'IP 192.0.2.1 > 198.51.100.2: ICMP unreachable (fragmentation needed), mtu 1420, for TCP 198.51.100.2.44000 > 203.0.113.9.443, length 36',
  ],
  [
    'IPv6 neighbour',
    ethernet(0x86dd, ipv6(58, icmp(135, 0, 0, new Uint8Array(16)), { src: 'fe80::1', dst: 'ff02::2' })),
    'IP6 fe80::1 > ff02::2: ICMP6 neighbor solicitation, length 24',
  ],
  [
    'fragment',
    v4(17, new Uint8Array(8), { id: 7, fragmentOffset: 1480, moreFragments: true }),
    'IP 192.0.2.1 > 198.51.100.2: frag id 7, offset 1480+, UDP, length 8',
  ],
  [
    'VLAN',
    ethernet(
      0x8100,
      vlanTag(12, 0x0800, ipv4(17, udp(1, 2, new Uint8Array(3)), { src: '192.0.2.1', dst: '198.51.100.2' })),
    ),
    'vlan 12 IP 192.0.2.1.1 > 198.51.100.2.2: UDP, length 3',
  ],
  ['unknown EtherType', ethernet(0x88cc, new Uint8Array(6)), 'ethernet type 0x88cc, length 20'],
])('%s', (_, bytes, text) => {
  expect(lineOf(bytes)).toBe(PREFIX + text)
})

test('direction, faults and cuts are told', () => {
  const query = v4(17, udp(40000, 53, dnsQuery(1, 'example.com')))
  expect(lineOf(query, query.length, 'eth0', DIRECTION_OUT)).toContain(' eth0 Out IP 192.0.2.1')
  expect(lineOf(query.slice(0, 60), query.length)).toMatch(/ \[cut: 60 of 71\]$/)
  const lying = v4(17, udp(40000, 53, message({ questions: [question('a')], counts: [1, 0, 0, 1] })))
  expect(lineOf(lying)).toMatch(/ \[malformed: dns-count at 61\]$/)
})

test('of a header that was not captured whole nothing is told but what it is', () => {
  const segment = v4(6, tcp(40000, 443, new Uint8Array(9), { seq: 5, flags: 0x18, window: 512 }))
  expect(lineOf(segment.slice(0, 14 + 20 + 12), segment.length)).toBe(
    `${PREFIX}IP 192.0.2.1.40000 > 198.51.100.2.443: TCP, length 29 [cut: 46 of 63]`,
  )
  expect(lineOf(v4(17, new Uint8Array(4)))).toBe(
    `${PREFIX}IP 192.0.2.1 > 198.51.100.2: UDP, length 4 [malformed: truncated at 34]`,
  )
  expect(lineOf(v4(1, new Uint8Array(1)))).toMatch(/: ICMP, length 1 \[malformed: icmp-short at 34\]$/)
})

test('a link type that is not known, and a packet without a byte', () => {
  expect(lineOf(new Uint8Array(20), 20, 'ib0', 0, 242)).toMatch(/ ib0 link type 242, length 20$/)
  expect(lineOf(new Uint8Array(0), 60)).toMatch(/ eth0 packet, length 60 \[cut: 0 of 60\]$/)
})

test('names of interfaces and hosts cannot act on a terminal', () => {
  const query = v4(17, udp(40000, 53, message({ questions: [question(hex('031b5b4a00'))] })))
  expect(lineOf(query, query.length, 'e\u001b[2J\n')).toBe(
    '2026-11-22 17:03:14.123456 e\\x1b[2J\\n IP 192.0.2.1.40000 > 198.51.100.2.53: 4660+ A? \\027[J (21)',
  )
})
