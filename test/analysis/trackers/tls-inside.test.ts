// Connections of TLS 1.3 with their key logs: the trace of RFC 8448, then handshakes made by hand, cut anywhere, with holes, wrong
// keys, early data and new keys.

import { createKeyLog } from '../../../src/analysis/key-log.ts'
import type { StreamConsumer } from '../../../src/analysis/trackers/stream-consumer.ts'
import { TlsHandshakes } from '../../../src/analysis/trackers/tls-handshakes.ts'
import { TlsInside } from '../../../src/analysis/trackers/tls-inside.ts'
import type { TlsKeyring } from '../../../src/analysis/trackers/tls-inside-direction.ts'
import { platformCrypto } from '../../../src/daemon/platform-crypto.ts'
import type { TlsFact } from '../../../src/model/protocol-facts.ts'
import { alert, handshake, record } from '../../decoders/build-tls.ts'
import { ALERT, APPLICATION_DATA, bytesFor, CIPHERS_13, HANDSHAKE, session13 } from '../../decoders/seal-tls.ts'
import { client, everySplit, feed, server, type Turn, WHERE } from './feed-stream.ts'

interface Seen {
  /** What was told of TLS, in words. */
  facts: string[]
  /** What came out, `<n>` where something is missing, `.` at the end; a capital for an open one. */
  client: string
  server: string
  kind: string
  heldLen: number
  opened: number
  done: boolean
}

interface Cut {
  cutsOf?: (turn: Turn, index: number) => number[]
  /** Before which turn a hole in which direction comes. */
  hole?: { before: number; fromClient: boolean }
  open?: boolean
  end?: boolean
}

function see(keyLogText: string, turns: Turn[], { cutsOf = () => [], hole, open = false, end = true }: Cut = {}): Seen {
  const keyLog = createKeyLog()
  keyLog.add(Buffer.from(keyLogText))
  const keyring: TlsKeyring = { keyLog, ciphers: platformCrypto, heldLen: 0 }
  const seen: Seen = { facts: [], client: '', server: '', kind: '', heldLen: 0, opened: 0, done: false }
  const consumer: StreamConsumer = {
    done: false,
    unwrapped: false,
    push(fromClient, bytes, at, endAt) {
      seen[fromClient ? 'client' : 'server'] += Buffer.from(bytes.slice(at, endAt)).toString('latin1')
      return endAt - at
    },
    gap(fromClient) {
      seen[fromClient ? 'client' : 'server'] += '<hole>'
    },
    end(isOpen) {
      seen.client += isOpen === true ? '<open>' : '<end>'
    },
  }
  const told = (fact: TlsFact) => void seen.facts.push(words(fact))
  const tls = new TlsHandshakes(told, undefined, (random, hello, swapped) => {
    const secrets = keyLog.secretsOf(Buffer.from(random).toString('latin1'))
    if (secrets === undefined) return undefined
    return new TlsInside(keyring, secrets, random, hello, swapped, told, (kind) => {
      seen.kind = kind
      return consumer
    })
  })
  turns.forEach((_, index) => {
    if (hole?.before === index) tls.gap(hole.fromClient, 100)
    feed(tls, [turns[index]!], (turn) => cutsOf(turn, index))
  })
  seen.done = tls.done
  if (end && !tls.done) tls.end(open)
  seen.heldLen = keyring.heldLen
  seen.opened = keyLog.openedCount
  return seen
}

function words(fact: TlsFact): string {
  const side = fact.fromClient ? 'client' : 'server'
  switch (fact.kind) {
    case 'encrypted-extensions':
      return `${side} alpn ${fact.serverAlpn}`
    case 'certificate':
      return `${side} certificate ${fact.subject} by ${fact.issuer}`
    case 'alert':
      return `${side} alert ${fact.alertLevel} ${fact.alertDescription}${fact.afterContent ? ' late' : ''}`
    default:
      return fact.kind
  }
}

const text = (value: string) => Buffer.from(value, 'latin1')

describe('RFC 8448 3', () => {
  const RANDOM = 'cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece7'
  const KEY_LOG = [
    `CLIENT_HANDSHAKE_TRAFFIC_SECRET ${RANDOM} b3eddb126e067f35a780b3abf45e2d8f3b1a950738f52e9600746a0e27a55a21`,
    `SERVER_HANDSHAKE_TRAFFIC_SECRET ${RANDOM} b67b7d690cc16c4e75e54213cb2d37b4e9c912bcded9105d42befd59d391ad38`,
    `CLIENT_TRAFFIC_SECRET_0 ${RANDOM} 9e40646ce79a7f9dc05af8889bce6552875afa0b06df0087f792ebb7c17504a5`,
    `SERVER_TRAFFIC_SECRET_0 ${RANDOM} a11af9f05531f856ad47116b45a950328204b4f44bfb6b3a4b4f1f3fcb631643`,
  ].join('\n')
  const hex = (value: string) => Buffer.from(value, 'hex')
  const turns = [
    client(
      hex(
        '16030100c4010000c00303cb34ecb1e78163ba1c38c6dacb196a6dffa21a8d9912ec18a2ef6283024dece70000061301130313020100009100' +
          '00000b0009000006736572766572ff01000100000a00140012001d0017001800190100010101020103010400230000003300260024001d00' +
          '2099381de560e4bd43d23d8e435a7dbafeb3c06e51c13cae4d5413691e529aaf2c002b0003020304000d0020001e04030503060302030804' +
          '0805080604010501060102010402050206020202002d00020101001c00024001',
      ),
    ),
    server(
      hex(
        '160303005a020000560303a6af06a4121860dc5e6e60249cd34c95930c8ac5cb1434dac155772ed3e2692800130100002e00330024001d0020' +
          'c9828876112095fe66762bdbf7c672e156d6cc253b833df1dd69b1b04e751f0f002b00020304' +
          '17030302a2d1ff334a56f5bff6594a07cc87b580233f500f45e489e7f33af35edf7869fcf40aa40aa2b8ea73f848a7ca07612ef9f945cb96' +
          '0b4068905123ea78b111b429ba9191cd05d2a389280f526134aadc7fc78c4b729df828b5ecf7b13bd9aefb0e57f271585b8ea9bb355c7c79' +
          '020716cfb9b1183ef3ab20e37d57a6b9d7477609aee6e122a4cf51427325250c7d0e509289444c9b3a648f1d71035d2ed65b0e3cdd0cbae8' +
          'bf2d0b227812cbb360987255cc744110c453baa4fcd610928d809810e4b7ed1a8fd991f06aa6248204797e36a6a73b70a2559c09ead68694' +
          '5ba246ab66e5edd8044b4c6de3fcf2a89441ac66272fd8fb330ef8190579b3684596c960bd596eea520a56a8d650f563aad27409960dca63' +
          'd3e688611ea5e22f4415cf9538d51a200c27034272968a264ed6540c84838d89f72c24461aad6d26f59ecaba9acbbb317b66d902f4f292a3' +
          '6ac1b639c637ce343117b659622245317b49eeda0c6258f100d7d961ffb138647e92ea330faeea6dfa31c7a84dc3bd7e1b7a6c7178af3687' +
          '9018e3f252107f243d243dc7339d5684c8b0378bf30244da8c87c843f5e56eb4c5e8280a2b48052cf93b16499a66db7cca71e4599426f7d4' +
          '61e66f99882bd89fc50800becca62d6c74116dbd2972fda1fa80f85df881edbe5a37668936b335583b599186dc5c6918a396fa48a181d6b6' +
          'fa4f9d62d513afbb992f2b992f67f8afe67f76913fa388cb5630c8ca01e0c65d11c66a1e2ac4c85977b7c7a6999bbf10dc35ae69f5515614' +
          '636c0b9b68c19ed2e31c0b3b66763038ebba42f3b38edc0399f3a9f23faa63978c317fc9fa66a73f60f0504de93b5b845e275592c12335ee' +
          '340bbc4fddd502784016e4b3be7ef04dda49f4b440a30cb5d2af939828fd4ae3794e44f94df5a631ede42c1719bfdabf0253fe5175be898e' +
          '750edc53370d2b',
      ),
    ),
    client(
      hex(
        '170303003575ec4dc238cce60b298044a71e219c56cc77b0517fe9b93c7a4bfc44d87f38f80338ac98fc46deb384bd1caeacab6867d726c405' +
          '461703030043a23f7054b62c94d0affafe8228ba55cbefacea42f914aa66bcab3f2b9819a8a5b46b395bd54a9a20441e2b62974e1f5a6292a2' +
          '977014bd1e3deae63aeebb21694915e4',
      ),
    ),
    server(
      hex(
        '17030300de3a6b8f90414a97d6959c3487680de5134a2b240e6cffac116e95d41d6af8f6b580dcf3d11d63c758db289a015940252f55713e06' +
          '1dc13e078891a38efbcf5753ad8ef170ad3c7353d16d9da773b9ca7f2b9fa1b6c0d4a3d03f75e09c30ba1e62972ac46f75f7b981be63439b29' +
          '99ce13064615139891d5e4c5b406f16e3fc181a77ca475840025db2f0a77f81b5ab05b94c01346755f69232c86519d86cbeeac87aac347d143' +
          'f9605d64f650db4d023e70e952ca49fe5137121c74bc2697687e248746d6df353005f3bce18696129c8153556b3b6c6779b37bf15985684f' +
          '17030300432e937e11ef4ac740e538ad36005fc4a46932fc3225d05f82aa1b36e30efaf97d90e6dffc602dcb501a59a8fcc49c4bf2e5f0a21c' +
          '0047c2abf332540dd032e167c2955d',
      ),
    ),
    client(hex('1703030013c9872760655666b74d7ff1153efd6db6d0b0e3')),
    server(hex('1703030013b58fd67166ebf599d24720cfbe7efa7a8864a9')),
  ]
  const payload = Buffer.from(Array.from({ length: 50 }, (_, index) => index)).toString('latin1')

  test('is opened to its last record', () => {
    expect(see(KEY_LOG, turns)).toEqual({
      facts: [
        'client-hello',
        'server-hello',
        'server certificate CN=rsa by CN=rsa',
        'client alert 1 0 late',
        'server alert 1 0 late',
      ],
      client: `${payload}<end>`,
      server: payload,
      kind: 'other',
      heldLen: 0,
      opened: 1,
      done: false,
    })
  })
})

const REQUEST = 'GET /a HTTP/1.1\r\nHost: www.example.com\r\n\r\n'
const RESPONSE = 'HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\ndown'

/** A handshake, a request, its answer, and both ends. */
function conversation(parts: Parameters<typeof session13>[0] = {}, paddingLen = 0): { keyLog: string; turns: Turn[] } {
  const session = session13(parts)
  return {
    keyLog: session.keyLog,
    turns: [
      client(session.clientHello),
      server(session.serverFlight),
      client([...session.clientFinish(), ...session.client.seal(APPLICATION_DATA, text(REQUEST), paddingLen)]),
      // A ticket between the two: handshake after the handshake.
      server([
        ...session.server.seal(HANDSHAKE, handshake(4, [...bytesFor('ticket', 80)])),
        ...session.server.seal(APPLICATION_DATA, text(RESPONSE), paddingLen),
      ]),
      client(session.client.seal(ALERT, [1, 0])),
      server(session.server.seal(ALERT, [1, 0])),
    ],
  }
}

const FACTS = [
  'client-hello',
  'server-hello',
  'server alpn http/1.1',
  'server certificate CN=www.example.com by CN=Example CA',
  'client alert 1 0 late',
  'server alert 1 0 late',
]
const WHOLE: Seen = {
  facts: FACTS,
  client: `${REQUEST}<end>`,
  server: RESPONSE,
  kind: 'http',
  heldLen: 0,
  opened: 1,
  done: false,
}

describe.each(Object.keys(CIPHERS_13).map(Number))('suite %i', (suite) => {
  test('is opened, with and without padding', () => {
    for (const paddingLen of [0, 1, 250]) {
      const { keyLog, turns } = conversation({ suite, alpn: 'http/1.1', paddingLen }, paddingLen)
      expect(see(keyLog, turns)).toEqual(WHOLE)
    }
  })

  test('with a secret of the other hash tells nothing but what is in the clear', () => {
    const other = suite === 0x1302 ? 0x1301 : 0x1302
    const { turns } = conversation({ suite, alpn: 'http/1.1' })
    const { keyLog } = conversation({ suite: other, alpn: 'http/1.1' })
    expect(see(keyLog, turns)).toMatchObject({
      facts: ['client-hello', 'server-hello'],
      client: '',
      opened: 0,
      done: true,
    })
  })
})

test('cut anywhere it says the same', () => {
  const { keyLog, turns } = conversation({ alpn: 'http/1.1' })
  everySplit(turns, (cutsOf, label) => expect([label, see(keyLog, turns, { cutsOf })]).toEqual([label, WHOLE]))
})

test('handshake messages in records of one byte are read', () => {
  for (const flightRecordLen of [1, 3, 100]) {
    const session = session13({ alpn: 'http/1.1', flightRecordLen })
    const answer = session.server.seal(APPLICATION_DATA, text(RESPONSE))
    const seen = see(session.keyLog, [client(session.clientHello), server([...session.serverFlight, ...answer])])
    expect(seen).toMatchObject({ facts: FACTS.slice(0, 4), server: RESPONSE })
  }
})

describe('what is not opened is not told', () => {
  const { keyLog, turns } = conversation({ alpn: 'http/1.1' })
  const CLEAR = { facts: ['client-hello', 'server-hello'], client: '', server: '', opened: 0, heldLen: 0 }

  test('the keys of another connection', () => {
    expect(see(conversation({ name: 'two' }).keyLog, turns)).toMatchObject({ ...CLEAR, done: true })
  })

  test('other secrets under the same random', () => {
    const random = keyLog.split(' ')[1]!
    const wrong = conversation({ name: 'two' }).keyLog.replaceAll(/ [0-9a-f]{64} /g, ` ${random} `)
    expect(see(wrong, turns)).toMatchObject({ ...CLEAR, done: true })
  })

  test('a tag that is wrong, in any record: what stood before it is told', () => {
    const flights = [1, 2, 3]
    for (const index of flights) {
      for (const fromEnd of [1, 40]) {
        const damaged = turns.map((turn, at) => {
          if (at !== index) return turn
          const bytes = Uint8Array.from(turn.bytes)
          bytes[bytes.length - fromEnd]! ^= 1
          return { ...turn, bytes }
        })
        const seen = see(keyLog, damaged)
        const isClient = turns[index]!.fromClient
        expect([
          index,
          seen.facts.filter((fact) => fact.startsWith(isClient ? 'client alert' : 'server alert')),
        ]).toEqual([index, []])
        expect([index, isClient ? seen.client.replace(/<.*/, '') : seen.server.replace(/<.*/, '')]).toEqual([index, ''])
        // The other direction goes on.
        expect([index, isClient ? seen.server : seen.client.replace('<end>', '')]).toEqual([
          index,
          isClient ? RESPONSE : REQUEST,
        ])
      }
    }
  })

  test('with the secrets of the handshake alone: alerts and certificates, no content', () => {
    const seen = see(keyLog.replaceAll(/.*TRAFFIC_SECRET_0.*\n/g, ''), turns)
    expect(seen).toMatchObject({ facts: FACTS.slice(0, 4), client: '', server: '', opened: 1, done: true })
  })

  test('with the secrets of one side: that side', () => {
    const seen = see(keyLog.replaceAll(/CLIENT.*\n/g, ''), turns)
    expect(seen).toMatchObject({
      facts: FACTS.filter((fact) => !fact.startsWith('client a')),
      client: '<end>',
      server: RESPONSE,
    })
  })
})

describe('a hole ends its direction', () => {
  const { keyLog, turns } = conversation({ alpn: 'http/1.1' })

  test.each([
    ['in the answer', 3, false, { client: `${REQUEST}<end>`, server: '<hole>' }],
    ['behind the request', 4, true, { client: `${REQUEST}<hole><end>`, server: RESPONSE }],
  ])('%s', (_name, before, fromClient, expected) => {
    const seen = see(keyLog, turns, { hole: { before, fromClient } })
    expect(seen).toMatchObject(expected)
    expect(seen.facts.some((fact) => fact.startsWith(`${fromClient ? 'client' : 'server'} alert`))).toBe(false)
    expect(seen.heldLen).toBe(0)
  })

  test('in both directions ends it all, and the reader is told that it stays open', () => {
    const session = session13({ alpn: 'http/1.1' })
    const begun = [
      client(session.clientHello),
      server(session.serverFlight),
      client([...session.clientFinish(), ...session.client.seal(APPLICATION_DATA, text(REQUEST))]),
    ]
    const keyLogText = session.keyLog
    const damaged = session.server.seal(APPLICATION_DATA, text(RESPONSE))
    damaged[damaged.length - 1]! ^= 1
    const worse = session.client.seal(APPLICATION_DATA, text(REQUEST))
    worse[worse.length - 1]! ^= 1
    expect(see(keyLogText, [...begun, server(damaged), client(worse)])).toMatchObject({
      client: `${REQUEST}<hole><open>`,
      server: '<hole>',
      done: true,
      heldLen: 0,
    })
  })
})

test('a record that is no record ends its direction', () => {
  for (const bytes of [
    text('GET / HTTP/1.1\r\n\r\n'),
    record(23, []).slice(0, 3),
    [23, 3, 3, 0xff, 0xff, 1, 2, 3],
    [99, 3, 3, 0, 1, 0],
  ]) {
    const session = session13()
    const seen = see(session.keyLog, [
      client(session.clientHello),
      server(session.serverFlight),
      client([...session.clientFinish(), ...Array.from(bytes)]),
      server(session.server.seal(APPLICATION_DATA, text(RESPONSE))),
    ])
    expect(seen).toMatchObject({ client: '<end>', server: RESPONSE, heldLen: 0 })
  }
})

describe('new keys in mid-stream (RFC 8446 4.6.3)', () => {
  const UPDATE = handshake(24, [1])

  test('each direction by itself, more than once, in one record with nothing else', () => {
    const session = session13({ alpn: 'http/1.1' })
    const turns = [client(session.clientHello), server(session.serverFlight), client(session.clientFinish())]
    let sent = ''
    for (let round = 0; round < 4; round++) {
      const part = `part ${round}`
      turns.push(
        client([...session.client.seal(APPLICATION_DATA, text(part)), ...session.client.seal(HANDSHAKE, UPDATE)]),
      )
      session.client.update()
      turns.push(server(session.server.seal(APPLICATION_DATA, text(part))))
      sent += part
    }
    turns.push(server([...session.server.seal(HANDSHAKE, UPDATE)]))
    session.server.update()
    turns.push(server(session.server.seal(APPLICATION_DATA, text('last'))), client(session.client.seal(ALERT, [1, 0])))
    expect(see(session.keyLog, turns)).toMatchObject({
      facts: FACTS.slice(0, 5),
      client: `${sent}<end>`,
      server: `${sent}last`,
    })
  })

  test('that never came to be: the old ones open nothing more', () => {
    const session = session13()
    const turns = [
      client(session.clientHello),
      server(session.serverFlight),
      client([
        ...session.clientFinish(),
        ...session.client.seal(HANDSHAKE, UPDATE),
        ...session.client.seal(APPLICATION_DATA, text('x')),
      ]),
    ]
    expect(see(session.keyLog, turns)).toMatchObject({ client: '', server: '' })
  })

  test('a second Finished of a client that was asked for its certificate later changes nothing', () => {
    const session = session13()
    const turns = [
      client(session.clientHello),
      server(session.serverFlight),
      client([
        ...session.clientFinish(),
        ...session.client.seal(HANDSHAKE, handshake(20, [...bytesFor('again', 32)])),
        ...session.client.seal(APPLICATION_DATA, text(REQUEST)),
      ]),
    ]
    expect(see(session.keyLog, turns).client).toBe(`${REQUEST}<end>`)
  })
})

describe('early data (RFC 8446 4.2.10)', () => {
  /** The request goes out behind the ClientHello, before the server has said a word. */
  function earlyTurns(
    early: 'accepted' | 'refused',
    endsEarly = early === 'accepted',
  ): { keyLog: string; turns: Turn[] } {
    const session = session13({ alpn: 'http/1.1', early })
    const finish = [...session.clientFinish()]
    const rest = session.client.seal(APPLICATION_DATA, text('rest'))
    return {
      keyLog: session.keyLog,
      turns: [
        client([
          ...session.clientHello,
          ...record(20, [1]),
          ...session.early.seal(APPLICATION_DATA, text('early ')),
          ...session.early.seal(APPLICATION_DATA, text('bird ')),
        ]),
        server([...session.serverFlight, ...session.server.seal(APPLICATION_DATA, text(RESPONSE))]),
        client([...(endsEarly ? session.early.seal(HANDSHAKE, handshake(5, [])) : []), ...finish, ...rest]),
      ],
    }
  }

  test('that the server took is content', () => {
    const { keyLog, turns } = earlyTurns('accepted')
    const expected = { client: 'early bird rest<end>', server: RESPONSE, heldLen: 0 }
    expect(see(keyLog, turns)).toMatchObject(expected)
    everySplit(turns, (cutsOf, label) =>
      expect([label, see(keyLog, turns, { cutsOf })]).toMatchObject([label, expected]),
    )
  })

  test('that the server took and nobody has the secret of is passed over', () => {
    const { keyLog, turns } = earlyTurns('accepted')
    // Its end is sealed with it.
    expect(see(keyLog.replace(/CLIENT_EARLY.*\n/, ''), turns)).toMatchObject({ client: 'rest<end>', server: RESPONSE })
  })

  test('that the server refused is passed over, for it was never read', () => {
    const { keyLog, turns } = earlyTurns('refused')
    expect(see(keyLog, turns)).toMatchObject({ client: 'rest<end>', server: RESPONSE })
  })

  test('without an answer is held for so long and no longer', () => {
    const session = session13({ early: 'accepted' })
    const many = Array.from({ length: 80 }, () => client(session.early.seal(APPLICATION_DATA, new Uint8Array(1000))))
    const seen = see(session.keyLog, [client(session.clientHello), ...many], { end: false })
    expect(seen).toMatchObject({ client: '', heldLen: 0 })
  })
})

test('alerts that end a handshake are told, whoever sent them', () => {
  const session = session13({ alpn: 'http/1.1' })
  const refused = [
    client(session.clientHello),
    server(session.serverFlight),
    client([...record(20, [1]), ...session.clientHandshake.seal(ALERT, [2, 48])]),
  ]
  expect(see(session.keyLog, refused).facts).toEqual([...FACTS.slice(0, 4), 'client alert 2 48'])
  const asked = session13({ alpn: 'http/1.1' })
  const wanted = [
    client(asked.clientHello),
    server(asked.serverFlight),
    client(asked.clientFinish()),
    server(asked.server.seal(ALERT, [2, 116])),
  ]
  expect(see(asked.keyLog, wanted).facts).toEqual([...FACTS.slice(0, 4), 'server alert 2 116'])
})

test('an alert from before there were keys, in the middle of what is protected', () => {
  const session = session13()
  const turns = [client(session.clientHello), server([...session.serverFlight, ...alert(2, 80)])]
  expect(see(session.keyLog, turns).facts.at(-1)).toBe('server alert 2 80')
})

test('HTTP/2 is known by ALPN, whoever speaks first', () => {
  const session = session13({ alpn: 'h2' })
  const settings = [0, 0, 0, 4, 0, 0, 0, 0, 0]
  const turns = [
    client(session.clientHello),
    server([...session.serverFlight, ...session.server.seal(APPLICATION_DATA, settings)]),
  ]
  expect(see(session.keyLog, turns)).toMatchObject({ kind: 'h2c', server: Buffer.from(settings).toString('latin1') })
})

test('a capture that took server and client for each other is put right by the hello', () => {
  const { keyLog, turns } = conversation({ alpn: 'http/1.1' })
  const swapped = turns.map((turn) => ({ ...turn, fromClient: !turn.fromClient }))
  expect(see(keyLog, swapped)).toMatchObject({ facts: FACTS, client: `${RESPONSE}<end>`, server: REQUEST })
})

test('what all connections hold together is bounded', () => {
  const keyLog = createKeyLog()
  const session = session13()
  keyLog.add(Buffer.from(session.keyLog))
  const keyring: TlsKeyring = { keyLog, ciphers: platformCrypto, heldLen: 0 }
  const start = [23, 3, 3, 0x40, 0]
  const all: TlsHandshakes[] = []
  for (let count = 0; count < 4000; count++) {
    const tls = new TlsHandshakes(
      () => {},
      undefined,
      (random, hello, swapped) => {
        const secrets = keyLog.secretsOf(Buffer.from(random).toString('latin1'))!
        return new TlsInside(
          keyring,
          secrets,
          random,
          hello,
          swapped,
          () => {},
          () => undefined,
        )
      },
    )
    const push = (fromClient: boolean, bytes: ArrayLike<number>) =>
      tls.push(fromClient, Uint8Array.from(Array.from(bytes)), 0, bytes.length, WHERE)
    push(true, session.clientHello)
    push(false, session.serverFlight)
    push(true, [...session.clientFinish(), ...start])
    all.push(tls)
  }
  expect(keyring.heldLen).toBeLessThanOrEqual(32 << 20)
  for (const tls of all) tls.end()
  expect(keyring.heldLen).toBe(0)
})
