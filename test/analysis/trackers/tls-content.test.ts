// What comes out of TLS goes to the readers of content in the clear: HTTP, DNS, TLS again, and what nobody reads.
import { createKeyLog } from '../../../src/analysis/key-log.ts'
import { createTransport } from '../../../src/analysis/trackers/transport.ts'
import { platformCrypto } from '../../../src/daemon/platform-crypto.ts'
import { decodeBatch } from '../../../src/decoders/decode-batch.ts'
import { createDecodedBatch } from '../../../src/model/decoded-batch.ts'
import { batchOf, dnsQuery } from '../../decoders/build-packet.ts'
import { APPLICATION_DATA, type Session13, session13 } from '../../decoders/seal-tls.ts'
import { conversation, framed } from './play-packets.ts'

interface Said {
  fromClient: boolean
  bytes: ArrayLike<number>
}

const out = (bytes: ArrayLike<number> | string): Said => ({ fromClient: true, bytes: toBytes(bytes) })
const back = (bytes: ArrayLike<number> | string): Said => ({ fromClient: false, bytes: toBytes(bytes) })
const toBytes = (bytes: ArrayLike<number> | string) =>
  typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : bytes

/** The handshake of the session, and all that is said in it, sealed. */
function inside(session: Session13, said: readonly Said[]): Said[] {
  return [
    out(session.clientHello),
    back(session.serverFlight),
    out(session.clientFinish()),
    ...said.map(({ fromClient, bytes }) => {
      const sealed = (fromClient ? session.client : session.server).seal(APPLICATION_DATA, bytes)
      return fromClient ? out(sealed) : back(sealed)
    }),
  ]
}

function told(sessions: readonly Session13[], said: readonly Said[]): string[] {
  const lines: string[] = []
  const keyLog = createKeyLog()
  for (const session of sessions) keyLog.add(Buffer.from(session.keyLog))
  const transport = createTransport(
    {
      dnsMessage: () => void lines.push('dns in the clear'),
      dnsInsideTls(_batch, columns, row) {
        lines.push(`dns ${columns.dnsId[row]} to ${columns.dstPort[row]}`)
      },
      tls(fact) {
        if (fact.sni !== undefined) lines.push(`tls ${fact.sni}`)
      },
      http: (fact) => void lines.push(fact.kind === 'request' ? `${fact.method} ${fact.host}` : `${fact.status}`),
    },
    { keyLog, crypto: platformCrypto },
  )
  const columns = createDecodedBatch(1)
  const turns = said.map(({ fromClient, bytes }) => ({ fromClient, bytes: Uint8Array.from(Array.from(bytes)) }))
  for (const [index, packet] of conversation(turns).entries()) {
    const batch = batchOf([{ linkType: 101, timeMicros: index, ...packet }])
    decodeBatch(batch, columns)
    transport.packet(batch, columns, 0)
    batch.bytes.fill(0xa5)
  }
  transport.end()
  return lines
}

const CONNECT = out('CONNECT site.example:443 HTTP/1.1\r\nHost: site.example:443\r\n\r\n')
const CONNECTED = back('HTTP/1.1 200 Connection established\r\n\r\n')
const GET = out('GET / HTTP/1.1\r\nHost: site.example\r\n\r\n')
const OK = back('HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n')

test('DNS over TLS is DNS that nobody on the way could read (RFC 7858)', () => {
  for (const alpn of ['dot', undefined]) {
    const session = session13({ ...(alpn === undefined ? {} : { alpn }), sni: 'dns.example' })
    const query = framed(dnsQuery(7, 'secret.example'))
    const answer = framed(dnsQuery(7, 'secret.example').map((byte, index) => (index === 2 ? byte | 0x80 : byte)))
    expect(told([session], inside(session, [out(query), back(answer)]))).toEqual([
      'tls dns.example',
      'dns 7 to 443',
      'dns 7 to 50000',
    ])
  }
})

test('HTTPS through an HTTPS proxy: TLS in TLS', () => {
  const proxy = session13({ name: 'proxy', sni: 'proxy.example' })
  const site = session13({ name: 'site', sni: 'site.example' })
  const said = [CONNECT, CONNECTED, ...inside(site, [GET, OK])]
  const expected = [
    'tls proxy.example',
    'CONNECT site.example:443',
    '200',
    'tls site.example',
    'GET site.example',
    '200',
  ]
  expect(told([proxy, site], inside(proxy, said))).toEqual(expected)
  // With the keys of one of them as far as it goes.
  expect(told([proxy], inside(session13({ name: 'proxy', sni: 'proxy.example' }), said))).toEqual(expected.slice(0, 4))
  expect(told([site], inside(session13({ name: 'proxy', sni: 'proxy.example' }), said))).toEqual(['tls proxy.example'])
})

test('there is an end to TLS in TLS', () => {
  const sessions = Array.from({ length: 12 }, (_, index) =>
    session13({ name: `level ${index}`, sni: `l${index}.example` }),
  )
  let said: Said[] = [GET, OK]
  for (const session of sessions.toReversed()) said = [CONNECT, CONNECTED, ...inside(session, said)]
  const lines = told(sessions, said)
  expect(lines.filter((line) => line.startsWith('tls')).length).toBeLessThan(6)
  expect(lines).not.toContain('GET site.example')
})

test('another protocol behind an upgrade, and one that nobody reads', () => {
  const upgraded = session13({ alpn: 'http/1.1' })
  const upgrade = out('GET /chat HTTP/1.1\r\nHost: chat.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n')
  const switched = back('HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\n\r\n')
  const frame = out([0x81, 0x85, 1, 2, 3, 4, 5, 6, 7, 8, 9])
  expect(told([upgraded], inside(upgraded, [upgrade, switched, frame]))).toEqual([
    'tls www.example.com',
    'GET chat.example',
    '101',
  ])
  const mail = session13()
  const imap = [back('* OK IMAP4rev1 ready\r\n'), out('a LOGIN user secret\r\n'), back('a OK done\r\n')]
  expect(told([mail], inside(mail, imap))).toEqual(['tls www.example.com'])
})
