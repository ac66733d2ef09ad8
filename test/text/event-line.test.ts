import { decodeBatch } from '../../src/decoders/decode-batch.ts'
import type { CaptureInterface } from '../../src/model/capture-interface.ts'
import type { FlowFact } from '../../src/model/connection-facts.ts'
import { createDecodedBatch } from '../../src/model/decoded-batch.ts'
import { LAYER_DNS, LAYER_NBNS } from '../../src/model/layer.ts'
import type { HttpFact, TlsFact } from '../../src/model/protocol-facts.ts'
import { DnsTransactionIds } from '../../src/text/dns-transaction-ids.ts'
import { eventLine } from '../../src/text/event-line.ts'
import { createEventWriter, findingLine } from '../../src/text/event-writer.ts'
import { flowId } from '../../src/text/flow-id.ts'
import { eventTime, lineTime } from '../../src/text/timestamp.ts'
import { message, pointer, question, record } from '../decoders/build-dns.ts'
import {
  ascii,
  type Bytes,
  batchOf,
  be16,
  be32,
  concat,
  ethernet,
  hex,
  icmp,
  ipv4,
  ipv6,
  udp,
} from '../decoders/build-packet.ts'

const TIME = Date.UTC(2026, 10, 22, 17, 3, 14) * 1000 + 7
const ETH0: CaptureInterface = {
  id: 0,
  inputIndex: 0,
  inputName: 'a.pcap',
  linkType: 1,
  snapLen: 0,
  name: 'eth0',
  addresses: [],
}

/** The events of these frames, each told to the handler its row is for. */
function eventsOf(frames: Bytes[], withInputName = true): Record<string, unknown>[] {
  const lines: string[] = []
  const writer = createEventWriter((line) => lines.push(line), { interfaces: [ETH0], withInputName })
  const batch = batchOf(frames.map((bytes) => ({ bytes, timeMicros: TIME })))
  const out = createDecodedBatch(frames.length)
  decodeBatch(batch, out)
  for (let row = 0; row < batch.count; row++) {
    batch.frameNumber[row] = row + 1
    if (out.layer[row]! >= LAYER_DNS && out.layer[row]! <= LAYER_NBNS) writer.dnsMessage!(batch, out, row)
    else if (out.quotedAt[row] !== 0) writer.icmpError!(batch, out, row)
    else writer.fragment!(batch, out, row)
  }
  for (const line of lines) expect(/^[\x20-\x7e]+$/.test(line)).toBe(true)
  return lines.map((line) => JSON.parse(line))
}

const dns = (payload: Bytes, fromServer = false) =>
  ethernet(
    0x0800,
    ipv4(
      17,
      fromServer ? udp(53, 40000, payload) : udp(40000, 53, payload),
      fromServer ? { src: '192.0.2.2', dst: '192.0.2.1' } : { src: '192.0.2.1', dst: '192.0.2.2' },
    ),
  )

test('a query and its answer, whole', () => {
  const [query, answer] = eventsOf([
    dns(message({ id: 7, questions: [question('www.example.com', 65)] })),
    dns(
      message({
        id: 7,
        flags: 0x8583,
        questions: [question('www.example.com', 65)],
        answers: [
          record(pointer(12), 5, pointer(16, 'web')),
          record(pointer(12), 16, concat(2, ascii('ab'), 1, ascii('c'))),
        ],
        authorities: [
          record(pointer(16), 6, concat(pointer(16, 'ns'), pointer(16, 'admin'), ...[1, 2, 3, 4, 5].map(be32))),
        ],
        additionals: [record('', 41, hex('000a 0008 0102030405060708'), 0, 1232)],
      }),
      true,
    ),
  ])
  expect(query).toEqual({
    timestamp: '2026-11-22T17:03:14.000007+0000',
    flow_id: expect.any(Number),
    in_iface: 'eth0',
    pcap_cnt: 1,
    event_type: 'dns',
    src_ip: '192.0.2.1',
    src_port: 40000,
    dest_ip: '192.0.2.2',
    dest_port: 53,
    proto: 'UDP',
    pcap_filename: 'a.pcap',
    dns: {
      version: 3,
      type: 'request',
      tx_id: 0,
      id: 7,
      flags: '100',
      rd: true,
      opcode: 0,
      queries: [{ rrname: 'www.example.com', rrtype: 'HTTPS', rrtype_code: 65 }],
    },
  })
  expect(answer!.flow_id).toBe(query!.flow_id)
  expect(answer).toMatchObject({ src_ip: '192.0.2.2', src_port: 53, pcap_cnt: 2 })
  expect(answer!.dns).toEqual({
    version: 3,
    type: 'response',
    tx_id: 1,
    id: 7,
    flags: '8583',
    qr: true,
    aa: true,
    rd: true,
    ra: true,
    opcode: 0,
    rcode: 'NXDOMAIN',
    queries: [{ rrname: 'www.example.com', rrtype: 'HTTPS', rrtype_code: 65 }],
    answers: [
      { rrname: 'www.example.com', rrtype: 'CNAME', ttl: 300, rdata: 'web.example.com' },
      { rrname: 'www.example.com', rrtype: 'TXT', ttl: 300, rdata: 'ab' },
      { rrname: 'www.example.com', rrtype: 'TXT', ttl: 300, rdata: 'c' },
    ],
    authorities: [
      {
        rrname: 'example.com',
        rrtype: 'SOA',
        ttl: 300,
        rdata: 'ns.example.com admin.example.com 1 2 3 4 5',
        soa: {
          mname: 'ns.example.com',
          rname: 'admin.example.com',
          serial: 1,
          refresh: 2,
          retry: 3,
          expire: 4,
          minimum: 5,
        },
      },
    ],
    additionals: [
      {
        rrname: '',
        rrtype: 'OPT',
        ttl: 0,
        rdata: 'cookie 0102030405060708',
        opt: [{ code: 10, data: '0102030405060708' }],
      },
    ],
  })
})

test('hostile names are inert, live lines name no file', () => {
  const evil = concat(9, hex('1b5b324a0a22005ce2'), 3, ascii('<b>'), 0)
  const [event] = eventsOf([dns(message({ questions: [question(evil)] }))], false)
  expect(event!.pcap_filename).toBeUndefined()
  expect(event).toMatchObject({ dns: { queries: [{ rrname: '\\027[2J\\010"\\000\\\\\\226.<b>' }] } })
})

test('ICMP errors of both versions with the quoted packet', () => {
  const quoted4 = ipv4(6, concat(be16(44000), be16(443), be32(1)), { src: '192.0.2.1', dst: '198.51.100.7' })
  const quoted6 = ipv6(17, udp(5000, 53, new Uint8Array(4)), { src: '2001:db8::1', dst: '2001:db8::53' })
  const [four, six] = eventsOf([
    ethernet(0x0800, ipv4(1, icmp(3, 4, 1420, quoted4), { src: '192.0.2.254', dst: '192.0.2.1' })),
    ethernet(0x86dd, ipv6(58, icmp(2, 0, 1280, quoted6))),
  ])
  expect(four).toMatchObject({
    event_type: 'icmp',
    proto: 'ICMP',
    src_ip: '192.0.2.254',
    icmp: {
      type: 3,
      code: 4,
      mtu: 1420,
      quoted: { src_ip: '192.0.2.1', src_port: 44000, dest_ip: '198.51.100.7', dest_port: 443, proto: 'TCP' },
    },
  })
  expect(four!.src_port).toBeUndefined()
  expect(six).toMatchObject({
    proto: 'IPv6-ICMP',
    icmp: {
      type: 2,
      code: 0,
      mtu: 1280,
      quoted: { src_ip: '2001:db8::1', src_port: 5000, dest_ip: '2001:db8::53', dest_port: 53, proto: 'UDP' },
    },
  })
})

test('a fragment', () => {
  const [event] = eventsOf([
    ethernet(0x0800, ipv4(17, new Uint8Array(64), { id: 99, fragmentOffset: 1480, moreFragments: true })),
  ])
  expect(event).toMatchObject({
    event_type: 'fragment',
    proto: 'UDP',
    fragment: { id: 99, offset: 1480, more: true, length: 64 },
  })
})

describe('facts of connections', () => {
  const connection = {
    timeMicros: TIME,
    frameNumber: 9,
    interfaceId: 0,
    flowId: 1,
    clientAddress: '192.0.2.1',
    clientPort: 40000,
    serverAddress: '2001:db8::2',
    serverPort: 443,
    ipVersion: 4,
  }
  const written = (tell: (writer: ReturnType<typeof createEventWriter>) => void) => {
    const lines: string[] = []
    tell(createEventWriter((line) => lines.push(line), { interfaces: [ETH0], withInputName: false }))
    expect(lines.length).toBe(1)
    expect(/^[\x20-\x7e]+$/.test(lines[0]!)).toBe(true)
    return JSON.parse(lines[0]!)
  }

  test('tls', () => {
    const hello: TlsFact = {
      ...connection,
      kind: 'client-hello',
      fromClient: true,
      version: 0x0304,
      sni: 'exämple.com\u2028',
      clientAlpns: ['h2'],
    }
    expect(written((writer) => writer.tls!(hello))).toMatchObject({
      event_type: 'tls',
      proto: 'TCP',
      src_ip: '192.0.2.1',
      dest_port: 443,
      tls: { sni: 'exämple.com\u2028', version: 'TLS 1.3', client_alpns: ['h2'] },
    })
    const alert: TlsFact = { ...connection, kind: 'alert', fromClient: false, alertLevel: 2, alertDescription: 112 }
    expect(written((writer) => writer.tls!(alert)).tls).toEqual({
      alert: { level: 'fatal', description: 'unrecognized_name', from: 'server' },
    })
  })

  test('http: one line for both halves, the query blanked', () => {
    const request: HttpFact = {
      ...connection,
      kind: 'request',
      headMicros: TIME,
      method: 'GET',
      url: '/a?token=secret',
      host: 'example.com',
      protocol: 'HTTP/1.1',
    }
    const response: HttpFact = {
      ...connection,
      kind: 'response',
      headMicros: TIME,
      frameNumber: 12,
      status: 502,
      server: 'edge',
      via: '1.1 x',
      proxyStatus: 'p; error=dns_timeout',
      bodyLen: 5,
      location: 'https://example.com/?s=1',
    }
    const event = written((writer) => writer.httpExchange!(request, response))
    expect(event.pcap_cnt).toBe(12)
    expect(event.http).toEqual({
      hostname: 'example.com',
      url: '/a?-',
      http_method: 'GET',
      protocol: 'HTTP/1.1',
      status: 502,
      redirect: 'https://example.com/?-',
      length: 5,
      server: 'edge',
      via: '1.1 x',
      proxy_status: 'p; error=dns_timeout',
    })
    expect(written((writer) => writer.httpExchange!(request, undefined)).http).toEqual({
      hostname: 'example.com',
      url: '/a?-',
      http_method: 'GET',
      protocol: 'HTTP/1.1',
    })
  })

  test('flow', () => {
    const flow: FlowFact = {
      ...connection,
      ipProtocol: 17,
      startMicros: TIME,
      endMicros: TIME + 2_500_000,
      packetsToServer: 3,
      packetsToClient: 2,
      bytesToServer: 300,
      bytesToClient: 200,
      state: 'established',
      retransmissions: 0,
      mssToServer: 0,
      mssToClient: 1460,
      rttMillis: -1,
      history: 'Dd',
    }
    expect(written((writer) => writer.flow!(flow))).toMatchObject({
      proto: 'UDP',
      flow: { pkts_toserver: 3, age: 2, start: '2026-11-22T17:03:14.000007+0000', mss_toclient: 1460, history: 'Dd' },
    })
    expect(written((writer) => writer.flow!(flow)).flow).not.toHaveProperty('rtt_ms')
  })

  test('a flow and its DNS messages share their id', () => {
    const lines: string[] = []
    const writer = createEventWriter((line) => lines.push(line), { interfaces: [ETH0], withInputName: false })
    const batch = batchOf([{ bytes: dns(message({ questions: [question('a')] })), timeMicros: TIME }])
    const out = createDecodedBatch(1)
    decodeBatch(batch, out)
    writer.dnsMessage!(batch, out, 0)
    writer.tls!({ ...connection, serverAddress: '192.0.2.2', serverPort: 53, kind: 'alert', fromClient: true })
    const [udpEvent, tcpEvent] = lines.map((line) => JSON.parse(line))
    expect(tcpEvent.flow_id).not.toBe(udpEvent.flow_id)
    expect(udpEvent.flow_id).toBe(
      flowId(Uint32Array.from([0, 0, 0xffff, 0xc0000202, 0, 0, 0xffff, 0xc0000201]), 0, 53, 4, 40000, 17, 0),
    )
  })
})

test('flow ids: same for both directions, different otherwise, exact as a JSON number', () => {
  const words = Uint32Array.from([0, 0, 0xffff, 0xc0000201, 0, 0, 0xffff, 0xc0000202])
  const id = flowId(words, 0, 1, 4, 2, 6, 0)
  expect(flowId(words, 4, 2, 0, 1, 6, 0)).toBe(id)
  expect(Number.isSafeInteger(id) && id >= 0).toBe(true)
  const others = [
    flowId(words, 0, 2, 4, 1, 6, 0),
    flowId(words, 0, 1, 4, 2, 17, 0),
    flowId(words, 0, 1, 4, 2, 6, 1),
    flowId(words, 0, 1, 0, 2, 6, 0),
  ]
  expect(new Set([id, ...others]).size).toBe(5)
})

test('transaction numbers: each message of a flow counts, from 0', () => {
  const ids = new DnsTransactionIds()
  expect([ids.take(1), ids.take(1), ids.take(2), ids.take(1)]).toEqual([0, 1, 0, 2])
  for (let flow = 0; flow < 70_000; flow++) ids.take(flow + 10)
  expect(ids.take(1)).toBe(0)
})

test('times: floored microseconds, before 1970, and stamps beyond any calendar', () => {
  expect(eventTime(0)).toBe('1970-01-01T00:00:00.000000+0000')
  expect(eventTime(-1)).toBe('1969-12-31T23:59:59.999999+0000')
  expect(lineTime(TIME + 999_992)).toBe('2026-11-22 17:03:14.999999')
  expect(eventTime(Number.NaN)).toBe('1970-01-01T00:00:00.000000+0000')
  expect(eventTime(Number.POSITIVE_INFINITY)).toBe('1970-01-01T00:00:00.000000+0000')
  expect(eventTime(1.8e19)).toMatch(/^9999-12-31T23:59:59\.\d{6}\+0000$/)
  expect(eventTime(-1.8e19)).toMatch(/^0000-01-01T00:00:00\.\d{6}\+0000$/)
})

test('a line is printable ASCII and reads back as what it was', () => {
  const event = { text: '\u001b[31m\n\u007f\u0085\u200f\u202eé😀\ud800"\\' }
  const line = eventLine(event)
  expect(/^[\x20-\x7e]+$/.test(line)).toBe(true)
  expect(JSON.parse(line)).toEqual(event)
})

test('findings', () => {
  const line = findingLine({
    id: 'dns-leak',
    severity: 'critical',
    confidence: 'proven',
    basis: 'RFC 1035 4.2.1',
    key: 'k',
    epoch: 1,
    time: '2026-11-22T17:03:14.000007Z',
    last: '2026-11-22T17:03:15.000000Z',
    count: 2,
    interface: 'eth0',
    summary: 's',
    advice: 'a',
    data: {},
    evidence: [],
  })
  expect(JSON.parse(line)).toMatchObject({
    timestamp: '2026-11-22T17:03:15.000000+0000',
    in_iface: 'eth0',
    event_type: 'finding',
    finding: { id: 'dns-leak', count: 2 },
  })
})
