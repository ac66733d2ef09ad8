import * as dnsPacket from 'dns-packet'
import fc from 'fast-check'
import { LAYER_LLMNR, LAYER_MDNS, LAYER_NBNS } from '../../src/model/layer.ts'
import { FAULT_NAMES } from '../../src/model/malformed.ts'
import type { DnsData } from '../../src/text/dns-data.ts'
import { readDnsMessage } from '../../src/text/dns-message.ts'
import { dataText } from '../../src/text/dns-rdata-text.ts'
import { message, pointer, question, record, wireName } from '../decoders/build-dns.ts'
import { ascii, type Bytes, be16, be32, concat, hex } from '../decoders/build-packet.ts'

const read = (bytes: Bytes, layer?: number) => readDnsMessage(bytes, 0, bytes.length, layer)!
/** The data of one answer of this type to a question for example.com (its name stands at 12). */
function answer(type: number, data: Bytes): DnsData {
  const got = read(
    message({ flags: 0x8180, questions: [question('example.com', type)], answers: [record(pointer(12), type, data)] }),
  )
  expect([got.fault, got.answers.length]).toEqual([0, 1])
  return got.answers[0]!.data
}

describe('records, byte for byte', () => {
  test.each<[string, number, Bytes, string]>([
    ['A', 1, hex('c0000201'), '192.0.2.1'],
    ['NS', 2, pointer(12, 'ns'), 'ns.example.com'],
    ['CNAME', 5, pointer(12, 'WEB'), 'WEB.example.com'],
    ['CNAME to the root', 5, hex('00'), '.'],
    [
      'SOA',
      6,
      concat(pointer(12, 'ns'), pointer(12, 'admin'), ...[2026112201, 7200, 900, 1209600, 86400].map(be32)),
      'ns.example.com admin.example.com 2026112201 7200 900 1209600 86400',
    ],
    ['PTR', 12, wireName('host.example.net'), 'host.example.net'],
    ['HINFO', 13, hex('02 5043 05 4c696e7578'), '"PC" "Linux"'],
    ['MX', 15, concat(be16(10), pointer(12, 'mail')), '10 mail.example.com'],
    ['TXT', 16, concat(5, ascii('a "b"'), 3, hex('00 5c ff'), 0), '"a \\"b\\"" "\\000\\\\\\255" ""'],
    ['AAAA', 28, hex('20010db8000000000000000000000001'), '2001:db8::1'],
    ['SRV', 33, concat(be16(20), be16(1), be16(5060), wireName('sip.example.com')), '20 1 5060 sip.example.com'],
    [
      'NAPTR',
      35,
      concat(be16(100), be16(50), 1, ascii('u'), 7, ascii('E2U+sip'), 6, ascii('!^.*$!'), 0),
      '100 50 "u" "E2U+sip" "!^.*$!" .',
    ],
    [
      'DS',
      43,
      hex('ec45 05 01 2bb183af5f22588179a53b0a98631fad1a292118'),
      '60485 5 1 2bb183af5f22588179a53b0a98631fad1a292118',
    ],
    [
      'SSHFP',
      44,
      hex('02 01 123456789abcdef67890123456789abcdef67890'),
      '2 1 123456789abcdef67890123456789abcdef67890',
    ],
    // RFC 4034 3.3's times.
    [
      'RRSIG',
      46,
      concat(
        hex('0001 05 03 00015180'),
        be32(Date.UTC(2003, 2, 22, 17, 31, 3) / 1000),
        be32(Date.UTC(2003, 1, 20, 17, 31, 3) / 1000),
        be16(2642),
        wireName('example.com'),
        hex('a0907f88'),
      ),
      'A 5 3 86400 20030322173103 20030220173103 2642 example.com oJB/iA==',
    ],
    // RFC 4034 4.3: alfa.example.com. NSEC host.example.com. (A MX RRSIG NSEC TYPE1234)
    [
      'NSEC',
      47,
      concat(
        wireName('host.example.com'),
        hex('0006400100000003 041b000000000000000000000000000000000000000000000000000020'),
      ),
      'host.example.com A MX RRSIG NSEC TYPE1234',
    ],
    ['DNSKEY', 48, hex('0100 03 05 0102030405'), '256 3 5 AQIDBAU='],
    // RFC 5155 Appendix A, the apex of its zone.
    [
      'NSEC3',
      50,
      hex('01 01 000c 04 aabbccdd 14 174eb2409fe28bcb4887a1836f957f0a8425e27b 00 07 22010000000290'),
      '1 1 12 aabbccdd 2t7b4g4vsa5smi47k61mv5bv1a22bojr NS SOA MX RRSIG DNSKEY NSEC3PARAM',
    ],
    ['NSEC3 without salt', 50, hex('01 00 0000 00 01 f8'), '1 0 0 - v0'],
    ['TLSA', 52, hex('03 01 01 d2abde24'), '3 1 1 d2abde24'],
    ['SVCB alias', 64, concat(be16(0), wireName('svc.example.net')), '0 svc.example.net'],
    [
      'HTTPS',
      65,
      concat(
        be16(1),
        0,
        hex('0000 0004 0001 0003'),
        hex('0001 0006 02 6832 02 6833'),
        hex('0003 0002 01bb'),
        hex('0004 0008 c0000201 c0000202'),
        hex('0005 0003 010203'),
        hex('0006 0010 20010db8000000000000000000000001'),
        hex('0007 0003 2f7122'),
        hex('ff00 0000'),
      ),
      '1 . mandatory="alpn,port" alpn="h2,h3" port="443" ipv4hint="192.0.2.1,192.0.2.2" ech="AQID" ipv6hint="2001:db8::1" dohpath="/q\\"" key65280',
    ],
    ['CAA', 257, concat(0x80, 5, ascii('issue'), ascii('ca.example.net')), '128 issue "ca.example.net"'],
    ['unknown type', 65280, hex('00ff'), '00ff'],
  ])('%s', (_, type, data, text) => {
    const got = answer(type, data)
    expect(dataText(got)).toBe(text)
    expect(got.kind === 'other').toBe(type === 65280)
  })

  test('EDNS options', () => {
    const options = concat(
      hex('0008 0007 0001 18 00 c00002'),
      hex('0008 000b 0002 38 30 20010db8000102'),
      hex('000a 0010 0102030405060708 1112131415161718'),
      hex('000c 0005 0000000000'),
      hex('000f 0009 000f'),
      ascii('blocked'),
      hex('0003 0002 6e73'),
      hex('fde9 0000'),
    )
    const got = read(message({ flags: 0x8180, additionals: [record('', 41, options, 0x01008000, 1232)] }))
    const { data, class: payloadSize } = got.additionals[0]!
    expect(payloadSize).toBe(1232)
    expect(got.rcode).toBe(16)
    expect(data.kind === 'opt' && data.options[2]).toMatchObject({
      clientCookie: '0102030405060708',
      serverCookie: '1112131415161718',
    })
    expect(dataText(data)).toBe(
      'client-subnet 192.0.2.0/24/0; client-subnet 2001:db8:1:200::/56/48; cookie 01020304050607081112131415161718; ' +
        'padding 5; extended-error 15 (Blocked: blocked); nsid 6e73; option65001',
    )
  })

  test.each<[string, number, Bytes]>([
    ['A of three bytes', 1, hex('c00002')],
    ['AAAA of four bytes', 28, hex('c0000201')],
    ['a name that ends early', 2, concat(wireName('ns'), 0)],
    ['SOA too short', 6, concat(wireName('a'), wireName('b'), be32(1))],
    ['TXT whose string is longer', 16, hex('05 61')],
    ['NSEC windows backwards', 47, concat(wireName('a'), hex('010140 000140'))],
    ['NSEC bitmap of 33 bytes', 47, concat(wireName('a'), 0, 33, new Uint8Array(33))],
    ['NSEC3 salt beyond the end', 50, hex('01 00 0000 09 01')],
    ['SVCB keys twice', 64, concat(be16(1), 0, hex('0003 0002 01bb 0003 0002 01bb'))],
    ['SVCB value beyond the end', 65, concat(be16(1), 0, hex('0003 0004 01bb'))],
    ['SVCB empty alpn', 65, concat(be16(1), 0, hex('0001 0001 00'))],
    ['CAA tag beyond the end', 257, hex('00 05 61')],
    ['OPT option beyond the end', 41, hex('000a 0008 00')],
    ['NAPTR cut off', 35, hex('0001 0001 01 75 05')],
    ['RRSIG cut off', 46, hex('0001 05')],
  ])('data that contradicts its type stays as hex: %s', (_, type, data) => {
    expect(answer(type, data).kind).toBe('other')
  })
})

describe('messages', () => {
  const full = message({
    id: 7,
    flags: 0x87b3,
    questions: [question('www.example.com')],
    answers: [record(pointer(12), 5, pointer(16, 'web')), record(pointer(45), 1, hex('c0000201'), 60)],
    authorities: [record(pointer(16), 2, pointer(16, 'ns'))],
    additionals: [record('', 41, hex(''), 0, 1232)],
  })

  test('header bits and all sections', () => {
    expect(read(full)).toMatchObject({
      id: 7,
      flags: 0x87b3,
      response: true,
      opcode: 0,
      authoritative: true,
      truncated: true,
      recursionDesired: true,
      recursionAvailable: true,
      reserved: false,
      authenticData: true,
      checkingDisabled: true,
      rcode: 3,
      queries: [{ name: 'www.example.com', type: 1, class: 1, unicastResponse: false }],
      answers: [
        { name: 'www.example.com', type: 5, ttl: 300, data: { kind: 'name', name: 'web.example.com' } },
        { name: 'web.example.com', type: 1, ttl: 60, data: { kind: 'address', address: '192.0.2.1' } },
      ],
      authorities: [{ name: 'example.com', data: { kind: 'name', name: 'ns.example.com' } }],
      additionals: [{ name: '', type: 41 }],
      fault: 0,
    })
  })

  test('every length: what stands before the end stays', () => {
    const records = (bytes: Bytes) => {
      const got = readDnsMessage(bytes, 0, bytes.length)
      if (got === undefined) return -1
      return got.queries.length + got.answers.length + got.authorities.length + got.additionals.length
    }
    const ends = [33, 33 + 12 + 6, 51 + 12 + 4, 67 + 12 + 5, full.length]
    for (let len = 0; len <= full.length; len++) {
      const part = new Uint8Array(full.slice(0, len))
      expect([len, records(part)]).toEqual([len, len < 12 ? -1 : ends.filter((end) => end <= len).length])
      if (len >= 12) expect([len, read(part).fault !== 0]).toEqual([len, len < full.length])
    }
  })

  test('mDNS: cache-flush and unicast-response bits', () => {
    const got = read(
      message({
        flags: 0,
        questions: [question('a.local', 255, 0x8001)],
        authorities: [record(pointer(12), 1, hex('c0000201'), 120, 0x8001)],
        additionals: [record('', 41, hex(''), 0, 0x8400)],
      }),
      LAYER_MDNS,
    )
    expect(got.queries[0]).toMatchObject({ class: 1, unicastResponse: true })
    expect(got.authorities[0]).toMatchObject({ class: 1, cacheFlush: true })
    expect(got.additionals[0]).toMatchObject({ class: 0x8400, cacheFlush: false })
    expect(read(message({ questions: [question('a', 1, 0x8001)] }), LAYER_LLMNR).queries[0]).toMatchObject({
      class: 0x8001,
    })
  })

  test('NBNS: names and addresses', () => {
    const name = concat(32, ascii('EGFCEFEECACACACACACACACACACACACA'), 0)
    const got = read(
      message({
        flags: 0x8580,
        answers: [record(name, 32, hex('0000c0000207 6000c0000208'))],
        questions: [question(name, 32)],
      }),
      LAYER_NBNS,
    )
    expect(got.queries[0]!.name).toBe('FRED<20>')
    expect(got.answers[0]!.data).toEqual({
      kind: 'netbios',
      nodes: [
        { flags: 0, address: '192.0.2.7' },
        { flags: 0x6000, address: '192.0.2.8' },
      ],
    })
  })

  test.each([
    ['counts that lie', message({ questions: [question('a')], counts: [9, 9, 9, 9] }), 'dns-count', 19],
    ['pointer loop', message({ questions: [question(pointer(12))] }), 'dns-name-pointer', 12],
  ])('%s', (_, bytes, fault, at) => {
    const got = read(bytes)
    expect([FAULT_NAMES[got.fault], got.faultAt]).toEqual([fault, at])
  })
})

describe('hostile messages of 64 KB are cheap', () => {
  const header = (answers: number) => concat(be16(1), be16(0x8180), be16(0), be16(answers), be16(0), be16(0))
  const chain = (count: number) =>
    concat(...Array.from({ length: count }, (_, i) => be16(0xc000 | (i === 0 ? 12 : 12 + (i - 1) * 2))))
  const fill = (start: Bytes, part: Bytes) => {
    const bytes = new Uint8Array(65_535)
    bytes.set(start)
    let at = start.length
    for (; at + part.length <= bytes.length; at += part.length) bytes.set(part, at)
    return bytes.slice(0, at)
  }
  const owner = (start: Bytes) => record(start, 1, hex('c0000201'))

  test.each<[string, Bytes]>([
    // A first record whose data is a chain of 8,000 pointers to pointers, then records that enter the chain at its end.
    [
      'pointer chains as owners',
      fill(concat(header(65_535), record('', 10, chain(8000))), owner(pointer(12 + 11 + 7998 * 2))),
    ],
    [
      'pointer chains as data',
      fill(concat(header(65_535), record('', 10, chain(8000))), record('', 2, pointer(12 + 11 + 7998 * 2))),
    ],
    [
      'the longest name again and again',
      fill(
        concat(header(65_535), record(concat(...Array.from({ length: 127 }, () => [1, 0]), 0), 1, hex('c0000201'))),
        owner(pointer(12)),
      ),
    ],
    ['only pointers to the root', fill(concat(header(65_535), owner(hex('00'))), owner(pointer(12)))],
    [
      'full type bitmaps',
      fill(
        header(65_535),
        record(
          '',
          47,
          concat(0, ...Array.from({ length: 256 }, (_, window) => [window, 32, ...new Uint8Array(32).fill(255)])),
        ),
      ),
    ],
  ])('%s', (_, bytes) => {
    read(bytes)
    const startedAt = performance.now()
    for (let i = 0; i < 5; i++) read(bytes)
    const millis = (performance.now() - startedAt) / 5
    // A few milliseconds on an idle machine; quadratic work would be seconds.
    expect(millis).toBeLessThan(60)
  })
})

describe('differential against dns-packet', () => {
  const label = fc.string({ unit: fc.constantFrom(...'abcdefgXYZ0123456789-_'), minLength: 1, maxLength: 20 })
  const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'))
  const u16 = fc.nat(0xffff)
  const ttl = fc.nat(0x7fffffff)
  const octets = fc.tuple(fc.nat(255), fc.nat(255), fc.nat(255), fc.nat(255))
  const data = fc.oneof(
    fc.record({ type: fc.constant('A'), data: octets.map((parts) => parts.join('.')) }),
    fc.record({ type: fc.constantFrom('CNAME', 'NS', 'PTR', 'DNAME'), data: name }),
    fc.record({ type: fc.constant('MX'), data: fc.record({ preference: u16, exchange: name }) }),
    fc.record({ type: fc.constant('SRV'), data: fc.record({ priority: u16, weight: u16, port: u16, target: name }) }),
    fc.record({ type: fc.constant('TXT'), data: fc.array(label, { minLength: 1, maxLength: 3 }) }),
    fc.record({
      type: fc.constant('SOA'),
      data: fc.record({ mname: name, rname: name, serial: ttl, refresh: ttl, retry: ttl, expire: ttl, minimum: ttl }),
    }),
    fc.record({
      type: fc.constant('CAA'),
      data: fc.record({ flags: fc.constant(0), tag: fc.constantFrom('issue', 'iodef'), value: label }),
    }),
  )
  const answers = fc.array(fc.tuple(name, ttl, data), { maxLength: 5 })

  // biome-ignore lint/suspicious/noExplicitAny: dns-packet's data differs by type
  function expected({ type, data }: { type: string; data: any }): unknown {
    switch (type) {
      case 'A':
        return { kind: 'address', address: data }
      case 'MX':
        return { kind: 'mx', ...data }
      case 'SRV':
        return { kind: 'srv', ...data }
      case 'SOA':
        return { kind: 'soa', ...data }
      case 'CAA':
        return { kind: 'caa', ...data }
      case 'TXT':
        return { kind: 'strings', strings: data }
      default:
        return { kind: 'name', name: data }
    }
  }

  test('what it builds is read back', () => {
    fc.assert(
      fc.property(u16, name, answers, (id, asked, list) => {
        const bytes = dnsPacket.encode({
          type: 'response',
          id,
          flags: 0x0180,
          questions: [{ type: 'A', name: asked }],
          // A copy: encode() turns the strings of TXT into Buffers in place.
          answers: structuredClone(
            list.map(([owner, seconds, item]) => ({ ...item, name: owner, ttl: seconds })),
          ) as dnsPacket.Answer[],
        })
        const got = read(bytes)
        expect([got.fault, got.id, got.queries]).toEqual([
          0,
          id,
          [{ name: asked, type: 1, class: 1, unicastResponse: false }],
        ])
        expect(got.answers.map((found) => [found.name, found.ttl, found.data])).toEqual(
          list.map(([owner, seconds, item]) => [owner, seconds, expected(item)]),
        )
      }),
      { seed: 5, numRuns: 500 },
    )
  })

  test('what we build it reads the same, compression included', () => {
    const bytes = message({
      flags: 0x8180,
      questions: [question('www.example.com')],
      answers: [record(pointer(12), 5, pointer(16, 'web')), record(pointer(45), 1, hex('c0000201'))],
    })
    const theirs = dnsPacket.decode(Buffer.from(bytes))
    const ours = read(bytes)
    expect(ours.answers.map((found) => [found.name, dataText(found.data)])).toEqual(
      (theirs.answers ?? []).map((found) => [found.name, (found as { data: string }).data]),
    )
  })
})

test('any bytes: never throws, all text is printable ASCII', () => {
  fc.assert(
    fc.property(fc.uint8Array({ minLength: 12, maxLength: 200 }), (bytes) => {
      bytes[4] = 0
      bytes[6] = 0
      const got = read(bytes)
      for (const found of [...got.answers, ...got.authorities, ...got.additionals]) {
        expect(/^[\x20-\x7e]*$/.test(found.name + dataText(found.data))).toBe(true)
      }
      for (const asked of got.queries) expect(/^[\x21-\x7e]*$/.test(asked.name)).toBe(true)
    }),
    { seed: 64, numRuns: 3000 },
  )
})
