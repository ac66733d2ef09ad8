// TLS connections with their key logs, damaged: inside, well sealed, so that the readers of messages and content meet it, and
// outside, where the seal breaks. The same seed and number give the same connection.
import { type Bytes, handshake, record, u24 } from '../decoders/build-tls.ts'
import { ALERT, APPLICATION_DATA, HANDSHAKE, type Sealer13, session13 } from '../decoders/seal-tls.ts'
import { createRandom, noise } from '../fixtures/frames.ts'
import { mutate } from './mutate.ts'

export type TlsDamage =
  | 'none'
  | 'sealed'
  | 'hello'
  | 'messages'
  | 'content'
  | 'types'
  | 'updates'
  | 'order'
  | 'early'
  | 'nested'

export const TLS_DAMAGES: readonly TlsDamage[] = Object.freeze([
  'none',
  'sealed',
  'hello',
  'messages',
  'content',
  'types',
  'updates',
  'order',
  'early',
  'nested',
])

export interface DamagedTls {
  damage: TlsDamage
  keyLog: string
  /** What each side sends, one after the other. */
  turns: { fromClient: boolean; bytes: Uint8Array }[]
}

const REQUEST = Buffer.from('GET /fuzz HTTP/1.1\r\nHost: fuzz.example\r\n\r\n')
const RESPONSE = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nbody')
const HTTP2 = [
  ...Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'),
  0,
  0,
  0,
  4,
  0,
  0,
  0,
  0,
  0,
  0,
  0,
  3,
  1,
  5,
  0,
  0,
  0,
  1,
  0x82,
  0x84,
  0x86,
]
const SUITES = [0x1301, 0x1302, 0x1303]
const MAX_RECORD_CONTENT = 16_384

/** The connection of that number. */
export function damagedTls(seed: number, round: number): DamagedTls {
  const random = createRandom(Math.imul(seed, 0x9e3779b1) ^ round)
  const damage = TLS_DAMAGES[random() % TLS_DAMAGES.length]!
  const early = damage === 'early' ? (random() % 2 === 0 ? 'accepted' : 'refused') : undefined
  const session = session13({
    name: `fuzz ${random() % 8}`,
    suite: SUITES[random() % SUITES.length]!,
    flightRecordLen: 1 + (random() % 900),
    ...(random() % 2 === 0 ? { alpn: random() % 2 === 0 ? 'h2' : 'http/1.1' } : {}),
    ...(early === undefined ? {} : { early }),
  })
  const turns: { fromClient: boolean; bytes: Bytes }[] = []
  const say = (fromClient: boolean, ...parts: Bytes[]) => void turns.push({ fromClient, bytes: parts.flat() })
  const content = (bytes: ArrayLike<number>) =>
    Array.from(damage === 'content' ? mutate(Uint8Array.from(Array.from(bytes)), random()) : Array.from(bytes))
  say(true, session.clientHello, ...(early === undefined ? [] : [session.early.seal(APPLICATION_DATA, REQUEST)]))
  say(false, session.serverFlight)
  if (damage === 'messages')
    say(false, ...someMessages(session.serverHandshake, random), ...someMessages(session.server, random))
  const ended = early === 'accepted' ? [session.early.seal(HANDSHAKE, handshake(5, []))] : []
  say(true, ...ended, session.clientFinish())
  if (damage === 'updates') say(true, ...someUpdates(session.client, random))
  if (damage === 'types') say(false, ...someTypes(session.server, random))
  const asked = random() % 2 === 0 ? REQUEST : HTTP2
  say(true, session.client.seal(APPLICATION_DATA, content(asked).slice(0, MAX_RECORD_CONTENT), random() % 300))
  if (damage === 'nested') say(true, ...nested(session.client, session.clientHello, random))
  say(false, session.server.seal(APPLICATION_DATA, content(RESPONSE).slice(0, MAX_RECORD_CONTENT)))
  if (damage === 'messages') say(true, ...someMessages(session.client, random))
  say(true, session.client.seal(ALERT, [1 + (random() % 2), random() % 130]))
  const made = turns.map(({ fromClient, bytes }) => ({ fromClient, bytes: Uint8Array.from(bytes) }))
  const chosen = random() % made.length
  const damaged = damage === 'sealed' ? made[chosen] : damage === 'hello' ? made[random() % 2] : undefined
  if (damaged !== undefined) damaged.bytes = Uint8Array.from(mutate(damaged.bytes, random()))
  if (damage === 'order') [made[chosen], made[0]] = [made[0]!, made[chosen]!]
  return { damage, keyLog: session.keyLog, turns: made }
}

/** Handshake messages of any type, with lengths that are right, wrong and huge. */
function someMessages(sealer: Sealer13, random: () => number): Bytes[] {
  return Array.from({ length: random() % 6 }, () => {
    const body = [...noise(random(), random() % 300)]
    const type = random() % 4 === 0 ? random() % 256 : [4, 5, 8, 11, 13, 15, 20, 24][random() % 8]!
    const len = random() % 3 === 0 ? random() & 0xff_ffff : body.length
    return sealer.seal(HANDSHAKE, [type, ...u24(len), ...body])
  })
}

/** Content types that there are and are not, records of nothing, records of padding. */
function someTypes(sealer: Sealer13, random: () => number): Bytes[] {
  return Array.from({ length: 1 + (random() % 8) }, () => {
    const kind = random() % 4
    if (kind === 0) return record(20 + (random() % 6), [...noise(random(), random() % 20)])
    if (kind === 1) return sealer.seal(0, [], random() % 200)
    return sealer.seal(random() % 30, [...noise(random(), random() % 40)], random() % 40)
  })
}

/** New keys, once or many times, alone or with something behind them in the same record. */
function someUpdates(sealer: Sealer13, random: () => number): Bytes[] {
  return Array.from({ length: random() % 12 }, () => {
    const update = handshake(24, [random() % 2])
    const sealed = sealer.seal(HANDSHAKE, random() % 8 === 0 ? [...update, ...update] : update)
    if (random() % 16 !== 0) sealer.update()
    return sealed
  })
}

/** TLS in what came out of TLS, and in that, with the same random. */
function nested(sealer: Sealer13, hello: Bytes, random: () => number): Bytes[] {
  const connect = [...Buffer.from('CONNECT fuzz.example:443 HTTP/1.1\r\n\r\n')]
  return Array.from({ length: random() % 5 }, () => sealer.seal(APPLICATION_DATA, [...connect, ...hello]))
}
