import fc from 'fast-check'
import { createCursor } from '../../src/decoders/cursor.ts'
import { decodeDns, looksLikeDns } from '../../src/decoders/dns.ts'
import { createDecodedBatch, ROW_CUT } from '../../src/model/decoded-batch.ts'
import { LAYER_DNS, LAYER_DONE, LAYER_MDNS, LAYER_NBNS, LAYER_UDP } from '../../src/model/layer.ts'
import { FAULT_NAMES } from '../../src/model/malformed.ts'
import { decodeMessage, message, pointer, question, record, wireName } from './build-dns.ts'
import { type Bytes, concat, decodeOne, dnsQuery, ethernet, hex, ipv4, udp } from './build-packet.ts'

const FULL = message({
  flags: 0x8180,
  questions: [question('www.example.com')],
  answers: [
    record(pointer(12), 5, pointer(16, 'web')),
    record(pointer(45), 1, hex('c0000201')),
    record(pointer(12), 16, hex('03616263')),
  ],
  authorities: [record(pointer(16), 2, pointer(16, 'ns'))],
  additionals: [record('', 41, hex('000a00080102030405060708'), 0, 1232)],
})

function faultOf(bytes: Bytes, layer = LAYER_DNS): [string, number] {
  const out = decodeMessage(bytes, layer)
  return [FAULT_NAMES[out.fault[0]!]!, out.faultAt[0]!]
}

describe('columns', () => {
  test('header and first question', () => {
    const out = decodeMessage(FULL)
    expect(out.layer[0]).toBe(LAYER_DNS)
    expect(out.fault[0]).toBe(0)
    expect(out.flags[0]).toBe(0)
    expect(out.dnsAt[0]).toBe(0)
    expect(out.dnsEndAt[0]).toBe(FULL.length)
    expect(out.dnsId[0]).toBe(0x1234)
    expect(out.dnsFlags[0]).toBe(0x8180)
    expect(out.dnsQuestions[0]).toBe(1)
    expect(out.dnsType[0]).toBe(1)
    expect(out.dnsClass[0]).toBe(1)
  })

  test('the hash is FNV-1a over the wire form in lower case, ASCII letters only (RFC 4343)', () => {
    const fnv = (bytes: Bytes) => bytes.reduce((hash, byte) => Math.imul(hash ^ byte, 0x01000193), 0x811c9dc5) >>> 0
    const hash = (name: string | Bytes) => decodeMessage(message({ questions: [question(name)] })).dnsNameHash[0]
    expect(hash('www.example.com')).toBe(fnv(wireName('www.example.com')))
    expect(hash('WwW.eXample.COM')).toBe(hash('www.example.com'))
    expect(hash('www.example.org')).not.toBe(hash('www.example.com'))
    expect(hash('a.bc')).not.toBe(hash('ab.c'))
    // 0xc4 and 0xe4 are Ä and ä in Latin-1: two names. @ and ` differ by the same bit as letters do.
    expect(hash(hex('02c46100'))).not.toBe(hash(hex('02e46100')))
    expect(hash(hex('014000'))).not.toBe(hash(hex('016000')))
    expect(hash(hex('015b00'))).not.toBe(hash(hex('017b00')))
  })

  test('a message in the middle of a packet, through all layers', () => {
    const out = decodeOne(ethernet(0x0800, ipv4(17, udp(40000, 53, dnsQuery(7, 'example.com', 28)))))
    expect(out.layer[0]).toBe(LAYER_DNS)
    expect([out.dnsAt[0], out.dnsEndAt[0], out.dnsId[0], out.dnsType[0]]).toEqual([42, 71, 7, 28])
  })

  test('mDNS: the top bit of the class is not part of it (RFC 6762 18.12)', () => {
    const query = message({ id: 0, flags: 0, questions: [question('printer.local', 12, 0x8001)] })
    expect(decodeMessage(query, LAYER_MDNS).dnsClass[0]).toBe(1)
    expect(decodeMessage(query, LAYER_DNS).dnsClass[0]).toBe(0x8001)
  })

  test('mDNS announcement: no question, answers only', () => {
    const out = decodeMessage(
      message({ id: 0, flags: 0x8400, answers: [record('printer.local', 1, hex('c0000207'), 120, 0x8001)] }),
      LAYER_MDNS,
    )
    expect([out.layer[0], out.fault[0], out.dnsQuestions[0], out.dnsNameHash[0]]).toEqual([LAYER_MDNS, 0, 0, 0])
  })

  test('NBNS registration', () => {
    const name = concat(32, hex('43 4b'.replaceAll(' ', '').repeat(1)), new Uint8Array(30).fill(0x41), 0)
    const registration = message({
      flags: 0x2910,
      questions: [question(name, 32)],
      additionals: [record(pointer(12), 32, hex('0000c0000202'))],
    })
    const out = decodeMessage(registration, LAYER_NBNS)
    expect([out.layer[0], out.fault[0], out.dnsType[0]]).toEqual([LAYER_NBNS, 0, 32])
  })

  test('header-only answers and EDNS-only queries are messages', () => {
    expect(decodeMessage(message({ flags: 0x8181 })).layer[0]).toBe(LAYER_DNS)
    expect(decodeMessage(message({ additionals: [record('', 41, hex(''), 0, 4096)] })).layer[0]).toBe(LAYER_DNS)
  })
})

describe('every length', () => {
  test('a message that ends early is malformed, one the capture cut is cut; neither reads on', () => {
    for (let len = 0; len < FULL.length; len++) {
      const part = FULL.slice(0, len)
      const short = decodeMessage(part)
      const cut = decodeMessage(part, LAYER_DNS, FULL.length)
      if (len < 12) {
        expect([len, short.layer[0], short.fault[0]]).toEqual([len, LAYER_DONE, 0])
        expect(cut.layer[0]).toBe(LAYER_DONE)
      } else {
        expect([len, short.layer[0]]).toEqual([len, LAYER_DNS])
        expect([len, short.fault[0] !== 0]).toEqual([len, true])
        expect(short.faultAt[0]).toBeLessThanOrEqual(len)
        expect([len, cut.layer[0], cut.fault[0]]).toEqual([len, LAYER_DNS, 0])
      }
      expect([len, cut.flags[0]]).toEqual([len, ROW_CUT])
      expect([len, short.flags[0]]).toEqual([len, 0])
      // The question is 33 bytes; only whole it is told.
      expect([len, cut.dnsType[0]]).toEqual([len, len >= 33 ? 1 : 0])
      expect([len, short.dnsNameHash[0] !== 0]).toEqual([len, len >= 33])
    }
  })

  test('what lies behind the message changes nothing', () => {
    const padded = concat(FULL.slice(0, 40), new Uint8Array(64).fill(0xc0))
    const cursor = createCursor()
    cursor.bytes = padded
    cursor.endAt = 40
    cursor.wireEndAt = 40
    const out = createDecodedBatch(1)
    decodeDns(cursor, out, 0, LAYER_DNS)
    const alone = decodeMessage(FULL.slice(0, 40))
    expect([out.fault[0], out.faultAt[0]]).toEqual([alone.fault[0], alone.faultAt[0]])
  })
})

describe('faults', () => {
  test.each<[string, Bytes, string, number]>([
    ['pointer in the first name', message({ questions: [question(pointer(12, 'a'))] }), 'dns-name-pointer', 14],
    [
      'pointer forward',
      message({ flags: 0x8000, questions: [question('a')], answers: [record(pointer(40), 1, hex('c0000201'))] }),
      'dns-name-pointer',
      19,
    ],
    [
      'pointer to itself',
      message({ flags: 0x8000, questions: [question('a')], answers: [record(pointer(19), 1, hex('c0000201'))] }),
      'dns-name-pointer',
      19,
    ],
    [
      'pointer to its own label',
      message({ flags: 0x8000, questions: [question('a')], answers: [record(pointer(19, 'b'), 1, hex('c0000201'))] }),
      'dns-name-pointer',
      21,
    ],
    [
      'pointer into the header',
      message({ flags: 0x8000, questions: [question('a')], answers: [record(pointer(4), 1, hex('c0000201'))] }),
      'dns-name-pointer',
      19,
    ],
    ['label type 01', message({ questions: [question(hex('41 00'))] }), 'dns-label-type', 12],
    ['label type 10', message({ questions: [question(hex('80 00'))] }), 'dns-label-type', 12],
    ['question cut off', message({ questions: [question('example.com').slice(0, -1)] }), 'dns-short', 25],
    [
      'data longer than the message',
      message({ flags: 0x8000, questions: [question('a')], answers: [record('a', 1, hex('c0000201')).slice(0, -1)] }),
      'dns-record-length',
      22,
    ],
    [
      'an answer that is not there',
      message({ flags: 0x8000, questions: [question('a')], counts: [1, 1, 0, 0] }),
      'dns-count',
      19,
    ],
    [
      '65,535 answers that are not there',
      message({ flags: 0x8000, questions: [question('a')], counts: [1, 65535, 65535, 65535] }),
      'dns-count',
      19,
    ],
  ])('%s', (_, bytes, name, at) => {
    expect(faultOf(bytes)).toEqual([name, at])
    expect(decodeMessage(bytes).layer[0]).toBe(LAYER_DNS)
  })

  test('RFC 1035 2.3.4: labels of 63 bytes and names of 255 pass, one byte more does not', () => {
    const label = 'x'.repeat(63)
    const longest = [label, label, label, 'x'.repeat(61)].join('.')
    expect(wireName(longest).length).toBe(255)
    expect(faultOf(message({ questions: [question(longest)] }))).toEqual(['none', 0])
    expect(faultOf(message({ questions: [question(`${longest}x`)] }))[0]).toBe('dns-name-length')
    expect(
      faultOf(
        message({ flags: 0x8000, questions: [question('a')], answers: [record(longest, 1, hex('c0000201'))] }),
      )[0],
    ).toBe('none')
    expect(
      faultOf(
        message({ flags: 0x8000, questions: [question('a')], answers: [record(`${longest}x`, 1, hex('c0000201'))] }),
      )[0],
    ).toBe('dns-name-length')
  })
})

describe('what is no DNS', () => {
  const ports = (payload: Bytes, srcPort = 40000, dstPort = 53) =>
    decodeOne(ethernet(0x0800, ipv4(17, udp(srcPort, dstPort, payload))))
  /** Deterministic noise, as ciphertext looks. */
  const noise = (length: number, seed: number) => {
    let state = seed
    return Uint8Array.from({ length }, () => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0
      return state >>> 24
    })
  }

  test('WireGuard and OpenVPN on port 53', () => {
    const taken: string[] = []
    let rows = 0
    for (let seed = 1; seed <= 1000; seed++) {
      const random = noise(200, seed * 7919)
      const counter = [seed & 0xff, (seed >> 8) & 0xff, 0, 0, 0, 0, 0, 0]
      for (const payload of [
        concat([1, 0, 0, 0], random.slice(0, 144)),
        concat([2, 0, 0, 0], random.slice(0, 88)),
        concat([3, 0, 0, 0], random.slice(0, 60)),
        concat([4, 0, 0, 0], random.slice(0, 4), counter, random.slice(4, 84)),
        // A keep-alive: no data, only the tag.
        concat([4, 0, 0, 0], random.slice(0, 4), counter, random.slice(4, 20)),
        concat(0x38, random.slice(0, 8), [0, 0, 0, 0, 0]),
        concat([0x48, 0, 0, 1], [0, 0, (seed >> 8) & 0xff, seed & 0xff], random.slice(0, 100)),
        concat([0x30], [0, 0, (seed >> 8) & 0xff, seed & 0xff], random.slice(0, 100)),
      ]) {
        const out = ports(payload)
        const columns = out.fault[0]! + out.dnsNameHash[0]! + out.dnsType[0]! + out.dnsClass[0]!
        if (out.layer[0] !== LAYER_UDP || columns !== 0) taken.push(payload.slice(0, 24).join(' '))
        rows++
      }
    }
    expect(taken).toEqual([])
    expect(rows).toBe(8000)
  })

  test('on an odd port only what leaves no doubt', () => {
    const query = dnsQuery(9, 'example.com')
    expect(ports(query, 40000, 5300).layer[0]).toBe(LAYER_DNS)
    expect(ports(FULL, 5300, 40000).layer[0]).toBe(LAYER_DNS)
    const withOpt = message({
      flags: 0x0130,
      questions: [question('example.com')],
      additionals: [record('', 41, hex(''), 0x8000, 1232)],
    })
    expect(ports(withOpt, 40000, 5300).layer[0]).toBe(LAYER_DNS)
    const doubtful: Bytes[] = [
      concat(query, 0),
      query.slice(0, -1),
      message({ flags: 0x0140, questions: [question('example.com')] }),
      message({ flags: 0x0500, questions: [question('example.com')] }),
      message({ flags: 0x0103, questions: [question('example.com')] }),
      message({ questions: [question('example.com'), question('example.org')] }),
      message({ questions: [question('example.com', 0)] }),
      message({ questions: [question('example.com', 1, 2)] }),
      message({ questions: [question('exam ple.com')] }),
      message({ flags: 0x2900, questions: [question('example.com')] }),
      message({ flags: 0x8180, questions: [question('example.com')], counts: [1, 1, 0, 0] }),
      message({ flags: 0x8180 }),
    ]
    for (const payload of doubtful) expect(ports(payload, 40000, 5300).layer[0]).toBe(LAYER_UDP)
  })

  test('noise on an odd port', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 17, maxLength: 80 }), (bytes) => {
        const cursor = createCursor()
        cursor.bytes = bytes
        cursor.endAt = bytes.length
        cursor.wireEndAt = bytes.length
        return !looksLikeDns(cursor) && cursor.at === 0
      }),
      { seed: 53, numRuns: 5000 },
    )
  })

  test('a question that leaves no doubt carries counts that lie', () => {
    const lying = message({ questions: [question('www.example.com')], counts: [168, 43433, 43264, 7] })
    expect(decodeMessage(lying).layer[0]).toBe(LAYER_DNS)
    expect(decodeMessage(lying).dnsType[0]).toBe(1)
    expect(FAULT_NAMES[decodeMessage(lying).fault[0]!]).toBe('dns-count')
  })
})

test('mutations: never throws, never a fault outside the message, stable', () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(FULL.length - 1), fc.nat(255)), { minLength: 1, maxLength: 6 }),
      fc.nat(FULL.length),
      (changes, len) => {
        const bytes = new Uint8Array(FULL)
        for (const [at, value] of changes) bytes[at] = value
        const out = decodeMessage(bytes.slice(0, len))
        expect(out.faultAt[0]).toBeLessThanOrEqual(len)
        expect(out.dnsEndAt[0]).toBe(out.layer[0] === LAYER_DNS ? len : 0)
      },
    ),
    { seed: 1035, numRuns: 3000 },
  )
})
