import { createHash } from 'node:crypto'
import { TlsHandshakes } from '../../../src/analysis/trackers/tls-handshakes.ts'
import type { TlsFact } from '../../../src/model/protocol-facts.ts'
import {
  alert,
  ascii,
  certificate,
  certificateMessage,
  changeCipherSpec,
  clientHello,
  extension,
  extensions,
  HELLO_RETRY_RANDOM,
  handshake,
  record,
  records,
  serverHello,
  u16,
  vector16,
} from '../../decoders/build-tls.ts'
import { client, everySplit, feed, server, type Turn, WHERE } from './feed-stream.ts'

const hasher = {
  md5: (text: string) => createHash('md5').update(text).digest('hex'),
  sha256: (text: string) => createHash('sha256').update(text).digest('hex'),
}

const noCuts = () => []

function factsOf(turns: Turn[], cutsOf: (turn: Turn, index: number) => number[] = noCuts): TlsFact[] {
  const facts: TlsFact[] = []
  const consumer = new TlsHandshakes((fact) => facts.push(fact), hasher)
  feed(consumer, turns, cutsOf)
  consumer.end()
  return facts
}

const GREASE = 0x3a3a
const hello = clientHello({
  sessionId: new Array<number>(32).fill(9),
  cipherSuites: [GREASE, 0x1301, 0x1302, 0xc02f],
  extensions: [
    extension(GREASE, []),
    extensions.serverName('www.example.com'),
    extensions.groups([GREASE, 0x001d, 0x0017]),
    extensions.pointFormats([0]),
    extensions.signatureAlgorithms([0x0403, 0x0804]),
    extensions.alpn(['h2', 'http/1.1']),
    extensions.supportedVersions([GREASE, 0x0304, 0x0303]),
    extension(0xfe0d, [0, 1, 2, 3]),
  ],
})
const hello13 = serverHello({ extensions: [extensions.supportedVersion(0x0304)] })
const hello12 = serverHello({ cipherSuites: [0xc02f], extensions: [extensions.alpn(['h2'])] })
const leaf = certificate({
  subject: [
    ['C', 'PL'],
    ['O', 'Przykład'],
    ['CN', 'www.example.com'],
  ],
  issuer: [['CN', 'Example CA']],
  notBefore: '240101000000Z',
  notAfter: '20500102030405Z',
})
const applicationData = record(23, new Array<number>(64).fill(0xee))
const finished = record(22, new Array<number>(40).fill(0xcd))

const tls12: Turn[] = [
  client(record(22, hello, 0x0301)),
  server([
    ...records(
      22,
      [...hello12, ...certificateMessage([leaf, leaf]), ...handshake(12, [1, 2, 3]), ...handshake(14, [])],
      300,
    ),
  ]),
  client([...record(22, handshake(16, [1, 2])), ...changeCipherSpec, ...finished]),
  server([...changeCipherSpec, ...finished, ...applicationData]),
]

describe('a ClientHello', () => {
  const facts = factsOf([client(record(22, hello, 0x0301))])

  test('tells names, versions and lists without GREASE', () => {
    expect(facts).toEqual([
      {
        ...WHERE,
        kind: 'client-hello',
        fromClient: true,
        version: 0x0304,
        sni: 'www.example.com',
        clientAlpns: ['h2', 'http/1.1'],
        supportedVersions: [0x0304, 0x0303],
        groups: [0x001d, 0x0017],
        cipherSuites: [0x1301, 0x1302, 0xc02f],
        echPresent: true,
        messageLen: hello.length,
        ja3Text: '771,4865-4866-49199,0-10-11-13-16-43-65037,29-23,0',
        ja3: hasher.md5('771,4865-4866-49199,0-10-11-13-16-43-65037,29-23,0'),
        ja4: `t13d0307h2_${hasher.sha256('1301,1302,c02f').slice(0, 12)}_${hasher
          .sha256('000a,000b,000d,002b,fe0d_0403,0804')
          .slice(0, 12)}`,
      },
    ])
  })

  test('over many records and cut anywhere says the same', () => {
    for (const recordLen of [1, 3, 50, 1000]) {
      const turns = [client(records(22, hello, recordLen))]
      expect(factsOf(turns)).toEqual(facts)
      everySplit(turns, (cutsOf, label) => {
        expect([label, factsOf(turns, cutsOf)]).toEqual([label, facts])
      })
    }
  })

  test('without extensions, ALPN or SNI', () => {
    const [fact] = factsOf([client(record(22, clientHello({ version: 0x0301, cipherSuites: [0x002f] }), 0x0301))])
    expect(fact).toMatchObject({ version: 0x0301, cipherSuites: [0x002f], echPresent: false })
    expect(fact!.partial).toBeUndefined()
    expect(fact!.sni).toBeUndefined()
    expect(fact!.ja4).toBe(`t10i010000_${hasher.sha256('002f').slice(0, 12)}_000000000000`)
  })

  test('in SSLv2 framing offers suites and no name', () => {
    const specs = [0x00, 0x00, 0x2f, 0x01, 0x00, 0x80]
    const message = [1, 3, 1, ...u16(specs.length), 0, 0, 0, 16, ...specs, ...new Array<number>(16).fill(3)]
    const turns = [client([0x80, message.length, ...message]), server(record(22, hello12))]
    const facts = factsOf(turns)
    expect(facts.map((fact) => fact.kind)).toEqual(['client-hello', 'server-hello'])
    expect(facts[0]).toMatchObject({ version: 0x0301, cipherSuites: [0x2f], messageLen: message.length })
    everySplit(turns, (cutsOf, label) => expect([label, factsOf(turns, cutsOf)]).toEqual([label, facts]))
  })

  test('seen from the server side names client and server the right way round', () => {
    const [fact] = factsOf([server(record(22, hello))])
    expect(fact).toMatchObject({ fromClient: true, clientAddress: WHERE.serverAddress, serverPort: WHERE.clientPort })
  })
})

describe('a handshake', () => {
  test('of TLS 1.2 shows the certificate and ends with encryption', () => {
    const facts = factsOf(tls12)
    expect(facts.map((fact) => [fact.kind, fact.fromClient, fact.frameNumber])).toEqual([
      ['client-hello', true, 1],
      ['server-hello', false, 2],
      ['certificate', false, 2],
    ])
    expect(facts[1]).toMatchObject({ version: 0x0303, cipherSuite: 0xc02f, serverAlpn: 'h2', ja3sText: '771,49199,16' })
    expect(facts[2]).toMatchObject({
      subject: 'C=PL, O=Przykład, CN=www.example.com',
      issuer: 'CN=Example CA',
      serial: '0A:1B',
      notBeforeMicros: Date.UTC(2024, 0, 1) * 1000,
      notAfterMicros: Date.UTC(2050, 0, 2, 3, 4, 5) * 1000,
    })
    everySplit(tls12, (cutsOf, label) => expect([label, factsOf(tls12, cutsOf)]).toEqual([label, facts]))
  })

  test('is done when both directions are encrypted, and not before', () => {
    const consumer = new TlsHandshakes(() => {}, hasher)
    feed(consumer, tls12.slice(0, 3), noCuts)
    expect(consumer.done).toBe(false)
    feed(consumer, tls12.slice(3), noCuts)
    expect(consumer.done).toBe(true)
  })

  test('of TLS 1.3 with HelloRetryRequest shows both ClientHellos behind the compatibility ChangeCipherSpec', () => {
    const retry = serverHello({ random: HELLO_RETRY_RANDOM, extensions: [extensions.supportedVersion(0x0304)] })
    const turns = [
      client(record(22, hello)),
      server([...record(22, retry), ...changeCipherSpec]),
      client([...changeCipherSpec, ...record(22, hello)]),
      server([...record(22, hello13), ...applicationData]),
      client(applicationData),
    ]
    const facts = factsOf(turns)
    expect(facts.map((fact) => [fact.kind, fact.version, fact.helloRetryRequest])).toEqual([
      ['client-hello', 0x0304, undefined],
      ['server-hello', 0x0304, true],
      ['client-hello', 0x0304, undefined],
      ['server-hello', 0x0304, undefined],
    ])
    everySplit(turns, (cutsOf, label) => expect([label, factsOf(turns, cutsOf)]).toEqual([label, facts]))
  })

  test('that the server refuses shows the alert', () => {
    const turns = [client(record(22, hello)), server(alert(2, 112))]
    expect(factsOf(turns)[1]).toMatchObject({ kind: 'alert', fromClient: false, alertLevel: 2, alertDescription: 112 })
    everySplit(turns, (cutsOf) => expect(factsOf(turns, cutsOf)).toHaveLength(2))
  })

  test('that the client breaks off after the certificate shows its alert', () => {
    const facts = factsOf([...tls12.slice(0, 2), client(alert(2, 48))])
    expect(facts[3]).toMatchObject({ kind: 'alert', fromClient: true, alertDescription: 48 })
  })

  test('shows no alert that is encrypted', () => {
    const facts = factsOf([...tls12, client(record(21, new Array<number>(26).fill(1)))])
    expect(facts.filter((fact) => fact.kind === 'alert')).toEqual([])
  })
})

describe('missing bytes', () => {
  test('a ClientHello that loses its end tells what came before', () => {
    const facts: TlsFact[] = []
    const consumer = new TlsHandshakes((fact) => facts.push(fact), hasher)
    const bytes = Uint8Array.from(record(22, hello))
    consumer.push(true, bytes, 0, bytes.length - 10, WHERE)
    consumer.gap(true, 10)
    expect(facts).toHaveLength(1)
    expect(facts[0]).toMatchObject({ sni: 'www.example.com', partial: 'lost' })
    expect(facts[0]!.ja3).toBeUndefined()
  })

  test('behind a gap reading goes on at the next record', () => {
    const facts: TlsFact[] = []
    const consumer = new TlsHandshakes((fact) => facts.push(fact), hasher)
    consumer.gap(true, 500)
    const middle = Uint8Array.from([1, 2, 3, 4, 5, 6, 7])
    consumer.push(true, middle, 0, middle.length, WHERE)
    const bytes = Uint8Array.from(alert(2, 80))
    consumer.push(true, bytes, 0, bytes.length, WHERE)
    expect(facts.map((fact) => fact.alertDescription)).toEqual([80])
  })
})

describe('hostile input', () => {
  test('lengths that lie neither throw nor read beyond the bytes', () => {
    for (let at = 0; at < hello.length; at++) {
      for (const value of [0, 1, 0x7f, 0xff]) {
        const bent = record(22, hello)
        bent[5 + at] = value
        expect(factsOf([client(bent)]).length).toBeLessThanOrEqual(1)
      }
    }
  })

  test('random changes of a conversation neither throw nor hold it for ever', () => {
    let seed = 20_260
    const random = (below: number) => {
      seed = (Math.imul(seed, 1_103_515_245) + 12_345) >>> 0
      return Math.floor((seed / 2 ** 32) * below)
    }
    for (let run = 0; run < 2000; run++) {
      const turns = tls12.map((turn) => ({ fromClient: turn.fromClient, bytes: Uint8Array.from(turn.bytes) }))
      for (let change = 0; change <= run % 5; change++) {
        const { bytes } = turns[random(turns.length)]!
        bytes[random(bytes.length)] = random(256)
      }
      for (const fact of factsOf(turns, (turn) => [random(turn.bytes.length)])) expect(fact.kind).toBeDefined()
    }
  })

  test('a message that claims 16 MiB costs 64 KiB', () => {
    const consumer = new TlsHandshakes(() => {}, hasher)
    const first = Uint8Array.from(record(22, [1, 0xff, 0xff, 0xff, ...ascii('x'.repeat(16_000))]))
    for (let i = 0; i < 20; i++) consumer.push(true, first, 0, first.length, WHERE)
    expect(consumer.done).toBe(true)
  })

  test('extension lists that do not end where the message ends are told as partial', () => {
    const bent = clientHello({ extensions: [extensions.serverName('a.example')] })
    const body = bent.slice(4, -vector16(extensions.serverName('a.example')).length)
    const [fact] = factsOf([client(record(22, handshake(1, [...body, 0, 200, ...extensions.serverName('a.example')])))])
    expect(fact).toMatchObject({ sni: 'a.example', partial: 'lost' })
  })
})
