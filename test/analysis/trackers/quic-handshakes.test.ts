// QUIC's first packets: the vectors of RFC 9001 and RFC 9369, then everything a client may do to its ClientHello.

import { clientInitialKeys, openInitial } from '../../../src/analysis/trackers/quic-keys.ts'
import { createTransport } from '../../../src/analysis/trackers/transport.ts'
import { platformCrypto } from '../../../src/daemon/platform-crypto.ts'
import { decodeBatch } from '../../../src/decoders/decode-batch.ts'
import { createQuicHeader, QUIC_INITIAL, readQuicHeader } from '../../../src/decoders/quic.ts'
import { createDecodedBatch } from '../../../src/model/decoded-batch.ts'
import type { QuicFact } from '../../../src/model/protocol-facts.ts'
import { quicEvent } from '../../../src/text/event-quic.ts'
import { type Bytes, batchOf, be32, concat, ethernet, hex, ipv4, udp } from '../../decoders/build-packet.ts'
import {
  cryptoFrame,
  type Initial,
  padded,
  QUIC_DRAFT_29,
  QUIC_V1,
  QUIC_V2,
  sealInitial,
} from '../../decoders/build-quic.ts'
import { clientHello, extensions } from '../../decoders/build-tls.ts'

const CLIENT_ID = hex('8394c8f03e515708')
/** RFC 9001 A.2 and RFC 9369 A.2: the same CRYPTO frame in both. */
const RFC_CRYPTO_FRAME = hex(`
  060040f1010000ed0303ebf8fa56f12939b9584a3896472ec40bb863cfd3e868
  04fe3a47f06a2b69484c00000413011302010000c000000010000e00000b6578
  616d706c652e636f6dff01000100000a00080006001d00170018001000070005
  04616c706e000500050100000000003300260024001d00209370b2c9caa47fba
  baf4559fedba753de171fa71f50f1ce15d43e994ec74d748002b000302030400
  0d0010000e0403050306030203080408050806002d00020101001c0002400100
  3900320408ffffffffffffffff05048000ffff07048000ffff08011001048000
  75300901100f088394c8f03e51570806048000ffff`)
const RFC_PAYLOAD = padded(RFC_CRYPTO_FRAME, 1162)
/** Header and tag of the sealed packets in the appendices; the tag stands for every byte between. */
const RFC_9001 = {
  version: QUIC_V1,
  start: 'c000000001088394c8f03e5157080000449e7b9aec34d1b1c98dd7689fb8ec11',
  tag: 'e221af44860018ab0856972e194cd934',
  key: '1f369613dd76d5467730efcbe3b1a22d',
  iv: 'fa044b2f42a3fd3b46fb255c',
  hp: '9f50449e04a0e810283a1e9933adedd2',
}
const RFC_9369 = {
  version: QUIC_V2,
  start: 'd76b3343cf088394c8f03e5157080000449ea0c95e82ffe67b6abcdb4298b485',
  tag: 'a18b2faa745b6fe189cf772a9f84cbfc',
  key: '8b1a0bc121284290a29e0971b5cd045d',
  iv: '91f73e2351d8fa91660e909f',
  hp: '45b95e15235d6f45a6b19cbcb0294ba9',
}

const NOISE = new Uint8Array(30).fill(0xee)

function hexOf(bytes: Bytes): string {
  return Buffer.from(bytes).toString('hex')
}

/** Datagrams between one client and server; `fromServer` turns them round. */
function play(
  datagrams: readonly (Bytes | { fromServer: Bytes })[],
  options: { port?: number; wireLen?: number } = {},
): QuicFact[] {
  const facts: QuicFact[] = []
  const transport = createTransport({ quic: (fact) => facts.push({ ...fact }) }, { crypto: platformCrypto })
  const port = options.port ?? 443
  const packets = datagrams.map((one, index) => {
    const outgoing = one instanceof Uint8Array
    const ip = outgoing
      ? ipv4(17, udp(50_000, port, one), { src: '192.0.2.10', dst: '203.0.113.1' })
      : ipv4(17, udp(port, 50_000, one.fromServer), { src: '203.0.113.1', dst: '192.0.2.10' })
    const bytes = ethernet(0x0800, ip)
    const cut = options.wireLen === undefined ? bytes : bytes.slice(0, options.wireLen)
    return { bytes: cut, wireLen: bytes.length, timeMicros: 1000 + index, frameNumber: index + 1 }
  })
  const batch = batchOf(packets)
  const out = createDecodedBatch(packets.length)
  decodeBatch(batch, out)
  for (let row = 0; row < batch.count; row++) transport.packet(batch, out, row)
  transport.end()
  return facts
}

function hello(name: string, alpns: string[] = ['h3'], moreBytes = 0): Bytes {
  const padding =
    moreBytes === 0 ? [] : [[0, 21, moreBytes >> 8, moreBytes & 255, ...new Array<number>(moreBytes).fill(0)]]
  return Uint8Array.from(
    clientHello({
      extensions: [
        extensions.serverName(name),
        extensions.alpn(alpns),
        extensions.supportedVersions([0x0304]),
        ...padding,
      ],
    }),
  )
}

function initial(payload: Bytes, more: Partial<Initial> = {}): Bytes {
  return sealInitial({ destinationId: CLIENT_ID, payload: padded(payload, 1162), ...more })
}

describe('a reserved version, sent to make the server negotiate (RFC 9000 15)', () => {
  const version = 0x1a2a_3a4a

  test.each([
    ['version 1', QUIC_V1],
    ['draft 29', QUIC_DRAFT_29],
  ])('is opened with the keys of %s', (_, keysVersion) => {
    const facts = play([initial(cryptoFrame(0, hello('reserved.example')), { version, keysVersion })])
    expect(facts).toMatchObject([{ kind: 'client-hello', version, sni: 'reserved.example', clientAlpns: ['h3'] }])
    expect(quicEvent(facts[0]!).version).toBe('0x1a2a3a4a')
  })

  test('and after the negotiation the hello comes again with a version that both speak', () => {
    const frame = cryptoFrame(0, hello('again.example'))
    const facts = play([initial(frame, { version, keysVersion: QUIC_V1 }), initial(frame)])
    expect(facts.map((fact) => [fact.version, fact.sni])).toEqual([
      [version, 'again.example'],
      [QUIC_V1, 'again.example'],
    ])
  })

  test.each([
    ['other keys', initial(cryptoFrame(0, hello('a.example')), { version, keysVersion: QUIC_V2 })],
    [
      'an id too short for a first packet',
      initial(cryptoFrame(0, hello('a.example')), {
        version,
        keysVersion: QUIC_V1,
        destinationId: hex('01020304050607'),
      }),
    ],
    [
      'a datagram too short for one',
      sealInitial({
        version,
        keysVersion: QUIC_V1,
        destinationId: CLIENT_ID,
        payload: cryptoFrame(0, hello('a.example')),
      }),
    ],
  ])('tells nothing with %s', (_, packet) => {
    expect(play([packet])).toEqual([])
  })
})

describe.each([
  ['RFC 9001 Appendix A', RFC_9001],
  ['RFC 9369 Appendix A', RFC_9369],
])('%s', (_, vector) => {
  const packet = sealInitial({
    version: vector.version,
    destinationId: CLIENT_ID,
    packetNumber: 2,
    payload: RFC_PAYLOAD,
  })

  test('the sealed packet of the tests is the one printed there', () => {
    expect(packet).toHaveLength(1200)
    expect(hexOf(packet.subarray(0, 32))).toBe(vector.start)
    expect(hexOf(packet.subarray(1184))).toBe(vector.tag)
  })

  test('the keys are the ones printed there', () => {
    const keys = clientInitialKeys(platformCrypto, vector.version, CLIENT_ID, 0, CLIENT_ID.length)
    expect([hexOf(keys.key), hexOf(keys.iv), hexOf(keys.headerKey)]).toEqual([vector.key, vector.iv, vector.hp])
  })

  test('opens to the payload printed there, and leaves the packet as it was', () => {
    const header = createQuicHeader()
    const before = hexOf(packet)
    const memory = Buffer.from(packet)
    expect(readQuicHeader(memory, 0, memory.length, header)).toBe(true)
    expect(header).toMatchObject({
      type: QUIC_INITIAL,
      version: vector.version,
      destinationIdAt: 6,
      destinationIdLen: 8,
    })
    const keys = clientInitialKeys(platformCrypto, vector.version, memory, 6, 8)
    for (let again = 0; again < 2; again++) {
      expect(hexOf(openInitial(platformCrypto, keys, memory, 0, header)!)).toBe(hexOf(RFC_PAYLOAD))
    }
    expect(hexOf(memory)).toBe(before)
  })

  test('tells the name and protocol', () => {
    const [fact, ...others] = play([packet])
    expect(others).toEqual([])
    expect(fact).toMatchObject({
      kind: 'client-hello',
      sni: 'example.com',
      clientAlpns: ['alpn'],
      version: vector.version,
      tlsVersion: 0x0304,
      messageLen: 241,
      clientAddress: '192.0.2.10',
      serverPort: 443,
      frameNumber: 1,
    })
  })

  test('at every length: no read beyond, nothing told unless it is whole', () => {
    for (let len = 0; len < packet.length; len++) expect(play([packet.slice(0, len)])).toEqual([])
  })

  test('cut by the snap length it stays closed', () => {
    expect(play([packet], { wireLen: 600 })).toEqual([])
  })
})

describe('a ClientHello told once, with its frame, when it comes', () => {
  const name = 'www.example.org'
  const whole = hello(name)
  const large = hello(name, ['h3'], 1500)

  test.each([
    ['in one frame', [initial(cryptoFrame(0, whole))], 1],
    ['on another port', [initial(cryptoFrame(0, whole))], 1],
    [
      'over two packets',
      [
        initial(cryptoFrame(0, large.slice(0, 1100))),
        initial(cryptoFrame(1100, large.slice(1100)), { packetNumber: 1 }),
      ],
      2,
    ],
    [
      'in the wrong order',
      [
        initial(cryptoFrame(1100, large.slice(1100)), { packetNumber: 1 }),
        initial(cryptoFrame(0, large.slice(0, 1100))),
      ],
      2,
    ],
    [
      'with pieces reordered and repeated in one packet',
      [
        initial(
          concat(
            cryptoFrame(90, whole.slice(90)),
            [1, 0, 0],
            cryptoFrame(40, whole.slice(40, 100)),
            cryptoFrame(0, whole.slice(0, 50)),
          ),
        ),
      ],
      1,
    ],
    [
      'whose parts are sent again with other bytes',
      [
        initial(cryptoFrame(40, whole.slice(40, 70))),
        initial(cryptoFrame(0, [...whole.slice(0, 40), ...NOISE]), { packetNumber: 1 }),
        initial(cryptoFrame(40, [...NOISE, ...whole.slice(70)]), { packetNumber: 2 }),
      ],
      3,
    ],
    ['behind an acknowledgment', [initial(concat([2, 5, 0, 1, 0, 0, 1], cryptoFrame(0, whole)))], 1],
    ['behind an acknowledgment with ECN counts', [initial(concat([3, 5, 0, 0, 0, 1, 2, 3], cryptoFrame(0, whole)))], 1],
    [
      'behind another packet of the same datagram',
      [
        concat(
          sealInitial({ destinationId: CLIENT_ID, payload: padded(cryptoFrame(0, whole.slice(0, 60)), 200) }),
          sealInitial({
            destinationId: CLIENT_ID,
            packetNumber: 1,
            payload: padded(cryptoFrame(60, whole.slice(60)), 900),
          }),
        ),
      ],
      1,
    ],
    [
      'with a token and a packet number of one byte',
      [initial(cryptoFrame(0, whole), { token: hex('aabbcc'), packetNumber: 7, packetNumberLen: 1 })],
      1,
    ],
    ['under draft 29', [initial(cryptoFrame(0, whole), { version: QUIC_DRAFT_29 })], 1],
  ] as const)('%s', (_, datagrams, frame) => {
    const facts = play(datagrams, { port: 8443 })
    expect(facts.map((fact) => [fact.sni, fact.frameNumber, fact.serverPort])).toEqual([[name, frame, 8443]])
  })

  test('after the server chose another connection id, with the first one still the source of the keys', () => {
    const serverId = hex('0102030405060708')
    const facts = play([
      initial(cryptoFrame(0, large.slice(0, 1100))),
      initial(cryptoFrame(1100, large.slice(1100)), { packetNumber: 1, destinationId: serverId, keysFrom: CLIENT_ID }),
    ])
    expect(facts.map((fact) => fact.sni)).toEqual([name])
  })

  test('after a Retry, with new keys; the Retry is told once', () => {
    const retry = { fromServer: concat([0xf0, ...be32(QUIC_V1), 0, 4], hex('0a0b0c0d'), new Uint8Array(40)) }
    const again = initial(cryptoFrame(0, whole), { destinationId: hex('0a0b0c0d'), token: hex('ff'), packetNumber: 1 })
    const facts = play([initial(cryptoFrame(0, whole.slice(0, 20))), retry, retry, again])
    expect(facts.map((fact) => [fact.kind, fact.sni])).toEqual([
      ['retry', undefined],
      ['client-hello', name],
    ])
  })

  test('after a version negotiation', () => {
    const negotiation = { fromServer: concat([0x80, ...be32(0), 0, 8], CLIENT_ID, be32(QUIC_V1), be32(0x1a2a3a4a)) }
    const facts = play([negotiation, initial(cryptoFrame(0, whole))])
    expect(facts.map((fact) => fact.kind)).toEqual(['version-negotiation', 'client-hello'])
    expect(quicEvent(facts[0]!)).toEqual({ versions: ['1', '0x1a2a3a4a'] })
    expect(quicEvent(facts[1]!)).toMatchObject({ version: '1', sni: name, client_alpns: ['h3'] })
  })

  test('of two connections with the same ports, one after the other', () => {
    const second = initial(cryptoFrame(0, hello('other.example')), { destinationId: hex('1111111111111111') })
    const facts = play([initial(cryptoFrame(0, whole)), initial(cryptoFrame(0, whole), { packetNumber: 1 }), second])
    expect(facts.map((fact) => fact.sni)).toContain('other.example')
  })
})

describe('stays quiet', () => {
  test('on a short header, an unknown version, and what only resembles QUIC', () => {
    const unknown = initial(cryptoFrame(0, hello('a.example')))
    unknown.set(be32(0x12345678), 1)
    expect(play([hex('40aabbccddeeff00112233'), unknown, new Uint8Array(1200).fill(0xc0)])).toEqual([])
  })

  test('when a byte of the sealed packet was changed, wherever', () => {
    const packet = initial(cryptoFrame(0, hello('a.example')))
    for (let at = 6; at < packet.length; at += 13) {
      const damaged = Uint8Array.from(packet)
      damaged[at] = damaged[at]! ^ 0x21
      expect(play([damaged])).toEqual([])
    }
  })

  test('when the beginning of the hello never comes', () => {
    expect(play([initial(cryptoFrame(30, hello('a.example').slice(30)))])).toEqual([])
  })

  test('when frames claim an offset beyond any ClientHello', () => {
    const far = concat([6, ...be32(0x80100000)], [0x40, 4], [1, 2, 3, 4])
    expect(play([initial(far)])).toEqual([])
  })
})

test("names Google's own QUIC once a connection", () => {
  const datagram = concat([0xc3, ...be32(0x51303530), 8], CLIENT_ID, 0, new Uint8Array(1200))
  const facts = play([datagram, datagram])
  expect(facts.map(quicEvent)).toEqual([{ version: 'Q050' }])
})
