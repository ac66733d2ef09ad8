// Every cipher suite that the platform's own TLS can agree on, from a real handshake: a request and an answer of many records go
// over the wire, and what comes out with the key log is held against what went in.
import { constants } from 'node:crypto'
import { getCiphers, type TLSSocket } from 'node:tls'
import type { HttpFact } from '../../../src/model/protocol-facts.ts'
import { identity, type Recorded, record, type Script } from '../../support/tls-recorder.ts'
import { conversation, play, SEGMENT_LEN } from './play-packets.ts'

const BODY_LEN = 40_000
const REQUEST = 'GET /status?x=1 HTTP/1.1\r\nHost: www.example.com\r\n\r\n'
const RESPONSE = `HTTP/1.1 503 Service Unavailable\r\nServer: edge\r\nContent-Length: ${BODY_LEN}\r\n\r\n${'b'.repeat(BODY_LEN)}`

const rsa = identity('rsa')
const ec = identity('ec')
const PSK = Buffer.from('a key both sides know')
const BOTH = {
  key: [rsa.key, ec.key],
  cert: [rsa.cert, ec.cert],
  dhparam: 'auto',
  // One server for all recordings, so that its tickets hold.
  ticketKeys: Buffer.alloc(48, 7),
  sessionIdContext: 'recorder',
} as NonNullable<Script['server']>

function script(ciphers: string, more: Partial<NonNullable<Script['client']>> = {}): Script {
  return {
    request: REQUEST,
    response: RESPONSE,
    server: { ...BOTH, ciphers, minVersion: 'TLSv1.2' },
    client: { ciphers, minVersion: 'TLSv1.2', ...more },
  }
}

/** With it a server of TLS 1.3 gives no tickets. */
function withPsk({ server, client, ...rest }: Script): Script {
  const serverCallback = { pskCallback: () => PSK } as unknown as NonNullable<Script['server']>
  return {
    ...rest,
    server: { ...server, ...serverCallback },
    client: { ...client, pskCallback: () => ({ psk: PSK, identity: 'us' }) },
  }
}

/** What was told, in words. */
function told(recorded: Recorded, options: { keyLog?: string } = { keyLog: recorded.keyLog }): string[] {
  const { http, tls } = play(conversation(recorded.turns), options)
  const word = (fact: HttpFact) =>
    fact.kind === 'request' ? `${fact.method} ${fact.host}${fact.url}` : `${fact.status} ${fact.server} ${fact.bodyLen}`
  return [
    ...http.map(word),
    ...tls.flatMap((fact) =>
      fact.kind === 'alert' ? [`${fact.fromClient ? 'client' : 'server'} alert ${fact.alertDescription}`] : [],
    ),
  ]
}

const EXCHANGE = ['GET www.example.com/status?x=1', `503 edge ${BODY_LEN}`]
const CLOSED = ['server alert 0', 'client alert 0']
/** CCM, Camellia, ARIA, RC4 and NULL are left out, and what is older than TLS 1.2. */
const OPENED = /_WITH_(AES_(128|256)_(GCM|CBC)|CHACHA20)_|^TLS_(AES_\d+_GCM|CHACHA20)_/

const NAMES = getCiphers().map((name) => name.toUpperCase())
const TLS_12 = NAMES.filter((name) => !name.startsWith('TLS_') && !name.startsWith('SRP'))

test('TLS 1.2: each suite that two programs agree on', async () => {
  const seen: Record<string, string[]> = {}
  for (const name of TLS_12) {
    const attempt = withPsk(script(`${name}:@SECLEVEL=0`, { maxVersion: 'TLSv1.2' }))
    const recorded = await record(attempt).catch(() => undefined)
    if (recorded !== undefined) seen[recorded.cipher] = told(recorded)
  }
  const wrong = Object.entries(seen).filter(([name, facts]) => {
    const expected = OPENED.test(name) ? [...EXCHANGE, ...CLOSED] : []
    return JSON.stringify([...facts].sort()) !== JSON.stringify([...expected].sort())
  })
  expect(wrong).toEqual([])
  expect(Object.keys(seen).filter((name) => OPENED.test(name)).length).toBeGreaterThan(40)
}, 60_000)

test.each(NAMES.filter((name) => name.startsWith('TLS_') && OPENED.test(name)))('TLS 1.3: %s', async (name) => {
  const recorded = await record(script(name))
  expect(recorded).toMatchObject({ protocol: 'TLSv1.3', cipher: name })
  expect(told(recorded).sort()).toEqual([...EXCHANGE, ...CLOSED].sort())
})

test.each(['AES128-SHA', 'ECDHE-RSA-AES256-SHA384', 'AES256-SHA256'])(
  'TLS 1.2, %s with its MAC inside (RFC 5246) and behind (RFC 7366)',
  async (name) => {
    const lengths = []
    for (const secureOptions of [0, constants.SSL_OP_NO_ENCRYPT_THEN_MAC]) {
      const recorded = await record(script(name, { maxVersion: 'TLSv1.2', secureOptions }))
      expect(told(recorded).sort()).toEqual([...EXCHANGE, ...CLOSED].sort())
      lengths.push(recorded.turns.reduce((sum, { bytes }) => sum + bytes.length, 0))
    }
    // They are not the same thing.
    expect(lengths[0]).not.toBe(lengths[1])
  },
)

test.each(['TLSv1.2', 'TLSv1.3'] as const)('%s: a resumed connection has lines of its own', async (version) => {
  const first = await record(script('DEFAULT', { maxVersion: version, minVersion: version }))
  expect(first.session).toBeDefined()
  const second = await record(script('DEFAULT', { maxVersion: version, minVersion: version, session: first.session! }))
  expect(second.isResumed).toBe(true)
  expect(told(second).sort()).toEqual([...EXCHANGE, ...CLOSED].sort())
  expect(told(second, { keyLog: first.keyLog })).toEqual([])
})

test('TLS 1.2 that negotiates again: what follows stays closed, and nothing is made of it', async () => {
  const again = (socket: TLSSocket) =>
    new Promise<void>((done, failed) => {
      socket.renegotiate({ rejectUnauthorized: false }, (error) => (error === null ? done() : failed(error)))
    })
  const recorded = await record({ ...script('DEFAULT', { maxVersion: 'TLSv1.2' }), before: again })
  expect(recorded.keyLog.split('\n')).toHaveLength(3)
  expect(told(recorded)).toEqual([])
})

test.each(['ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-RSA-CHACHA20-POLY1305', 'AES128-SHA', 'TLS_AES_128_GCM_SHA256'])(
  '%s: behind a hole nothing more is opened, and what was seen of the answer is not called whole',
  async (name) => {
    const recorded = await record(script(name, { maxVersion: name.startsWith('TLS_') ? 'TLSv1.3' : 'TLSv1.2' }))
    const packets = conversation(recorded.turns)
    const big = packets.flatMap(({ bytes }, index) => (bytes.length > SEGMENT_LEN ? [index] : []))
    // A segment in the middle of the body, which the client acknowledges all the same.
    const hole = big[Math.floor(big.length / 2)]!
    const { http, tls } = play(packets.toSpliced(hole, 1), { keyLog: recorded.keyLog })
    expect(http).toMatchObject([
      { kind: 'request', method: 'GET' },
      { kind: 'response', status: 503, partial: 'lost' },
    ])
    expect(http[1]!.bodyLen).toBeGreaterThan(0)
    expect(http[1]!.bodyLen).toBeLessThan(BODY_LEN)
    expect(tls.filter((fact) => fact.kind === 'alert' && !fact.fromClient)).toEqual([])
  },
)

test('without a key log nothing of it is told', async () => {
  const recorded = await record(script('DEFAULT'))
  expect(told(recorded, {})).toEqual([])
  expect(told(recorded, { keyLog: '' })).toEqual([])
})
