// Protected TLS records and whole handshakes made by hand, with the key log that opens them: RFC 8446 5.2, 7.1, 7.3 and
// RFC 5246 6.2.3, 6.3, written for sealing, so that what opens them is held against something of its own.
import { type CipherGCMTypes, createCipheriv, createHash, createHmac } from 'node:crypto'
import {
  type Bytes,
  certificate,
  changeCipherSpec,
  clientHello,
  extension,
  extensions,
  handshake,
  record,
  serverHello,
  u16,
  vector16,
  vector24,
} from './build-tls.ts'

export const HANDSHAKE = 22
export const APPLICATION_DATA = 23
export const ALERT = 21

interface Cipher {
  name: CipherGCMTypes | 'chacha20-poly1305'
  keyLen: number
  hash: 'sha256' | 'sha384'
}

export const CIPHERS_13: Readonly<Record<number, Cipher>> = {
  4865: { name: 'aes-128-gcm', keyLen: 16, hash: 'sha256' },
  4866: { name: 'aes-256-gcm', keyLen: 32, hash: 'sha384' },
  4867: { name: 'chacha20-poly1305', keyLen: 32, hash: 'sha256' },
}

function hmac(hash: string, key: Uint8Array, ...data: Uint8Array[]): Buffer {
  const made = createHmac(hash, key)
  for (const part of data) made.update(part)
  return made.digest()
}

/** RFC 8446 7.1, of one block. */
function expandLabel(hash: string, secret: Uint8Array, label: string, len: number): Buffer {
  const full = Buffer.from(`tls13 ${label}`)
  const info = Buffer.from([...u16(len), full.length, ...full, 0, 1])
  return hmac(hash, secret, info).subarray(0, len)
}

function seal(
  cipher: Cipher['name'],
  key: Uint8Array,
  nonce: Uint8Array,
  header: Uint8Array,
  content: Uint8Array,
): Bytes {
  const made = createCipheriv(cipher as CipherGCMTypes, key, nonce, { authTagLength: 16 })
  made.setAAD(header)
  return [...made.update(content), ...made.final(), ...made.getAuthTag()]
}

/** Bytes that look like chance and are the same each time. */
export function bytesFor(name: string, len: number): Buffer {
  return createHash('shake256', { outputLength: len }).update(name).digest()
}

/** Seals the records of one direction of TLS 1.3. */
export class Sealer13 {
  readonly #cipher: Cipher
  #secret: Uint8Array
  #sequence = 0

  constructor(cipher: Cipher, secret: Uint8Array) {
    this.#cipher = cipher
    this.#secret = secret
  }

  seal(type: number, content: ArrayLike<number>, paddingLen = 0): Bytes {
    const { name, keyLen, hash } = this.#cipher
    const inner = Buffer.from([
      ...Array.from(content),
      ...(type === 0 ? [] : [type]),
      ...new Array<number>(paddingLen).fill(0),
    ])
    const header = Buffer.from([APPLICATION_DATA, 3, 3, ...u16(inner.length + 16)])
    const nonce = Buffer.from(expandLabel(hash, this.#secret, 'iv', 12))
    nonce.writeUInt32BE((nonce.readUInt32BE(8) ^ this.#sequence++) >>> 0, 8)
    return [...header, ...seal(name, expandLabel(hash, this.#secret, 'key', keyLen), nonce, header, inner)]
  }

  /** RFC 8446 4.6.3, 7.2: what is sealed next is so under the next secret. */
  update(): void {
    this.#secret = expandLabel(this.#cipher.hash, this.#secret, 'traffic upd', this.#secret.length)
    this.#sequence = 0
  }
}

/** One connection of TLS 1.3. */
export interface Session13 {
  /** Lines of the key log, by label. */
  secrets: Readonly<Record<string, string>>
  keyLog: string
  clientHello: Bytes
  /** ServerHello in the clear, the rest sealed. */
  serverFlight: Bytes
  /** The client's Finished; sealed when it is called. */
  clientFinish(): Bytes
  early: Sealer13
  clientHandshake: Sealer13
  serverHandshake: Sealer13
  client: Sealer13
  server: Sealer13
}

export interface Parts13 {
  suite?: number
  name?: string
  sni?: string
  alpn?: string
  /** The client offers early data; `accepted`: the server takes it. */
  early?: 'accepted' | 'refused'
  /** Padding of the server's handshake records, and bytes of the flight in each. */
  paddingLen?: number
  flightRecordLen?: number
}

export function session13(parts: Parts13 = {}): Session13 {
  const {
    suite = 0x1301,
    name = 'one',
    sni = 'www.example.com',
    alpn,
    early,
    paddingLen = 0,
    flightRecordLen = 4096,
  } = parts
  const cipher = CIPHERS_13[suite]!
  const secretLen = cipher.hash === 'sha256' ? 32 : 48
  const clientRandom = bytesFor(`${name} client random`, 32)
  const secretOf = (label: string) => bytesFor(`${name} ${label}`, secretLen)
  const labels = [
    'CLIENT_EARLY_TRAFFIC_SECRET',
    'CLIENT_HANDSHAKE_TRAFFIC_SECRET',
    'SERVER_HANDSHAKE_TRAFFIC_SECRET',
    'CLIENT_TRAFFIC_SECRET_0',
    'SERVER_TRAFFIC_SECRET_0',
  ]
  const secrets = Object.fromEntries(
    labels
      .filter((label) => early !== undefined || !label.includes('EARLY'))
      .map((label) => [label, `${label} ${clientRandom.toString('hex')} ${secretOf(label).toString('hex')}`]),
  )
  const sealer = (label: string) => new Sealer13(cipher, secretOf(label))
  const serverHandshake = sealer('SERVER_HANDSHAKE_TRAFFIC_SECRET')
  const clientHandshake = sealer('CLIENT_HANDSHAKE_TRAFFIC_SECRET')
  const hello = clientHello({
    random: [...clientRandom],
    sessionId: [...bytesFor(`${name} session`, 32)],
    cipherSuites: [suite],
    extensions: [
      extensions.serverName(sni),
      extensions.supportedVersions([0x0304]),
      ...(alpn === undefined ? [] : [extensions.alpn([alpn])]),
      ...(early === undefined ? [] : [extension(42, [])]),
    ],
  })
  const answer = serverHello({
    random: [...bytesFor(`${name} server random`, 32)],
    sessionId: [...bytesFor(`${name} session`, 32)],
    cipherSuites: [suite],
    extensions: [extensions.supportedVersion(0x0304)],
  })
  const encryptedExtensions = handshake(
    8,
    vector16([
      ...(alpn === undefined ? [] : extensions.alpn([alpn])),
      ...(early === 'accepted' ? extension(42, []) : []),
    ]),
  )
  const leaf = certificate({
    subject: [['CN', sni]],
    issuer: [['CN', 'Example CA']],
    notBefore: '260101000000Z',
    notAfter: '270101000000Z',
  })
  // RFC 8446 4.4.2: no context, one certificate without extensions.
  const certificates = handshake(11, [0, ...vector24([...vector24(leaf), 0, 0])])
  const flight = [...encryptedExtensions, ...certificates, ...handshake(15, [...bytesFor('verify', 68)])]
  const finished = handshake(20, [...bytesFor('finished', secretLen)])
  const sealedFlight = Array.from({ length: Math.ceil(flight.length / flightRecordLen) }, (_, index) =>
    serverHandshake.seal(HANDSHAKE, flight.slice(index * flightRecordLen, (index + 1) * flightRecordLen), paddingLen),
  )
  return {
    secrets,
    keyLog: `${Object.values(secrets).join('\n')}\n`,
    clientHello: record(HANDSHAKE, hello, 0x0301),
    serverFlight: [
      ...record(HANDSHAKE, answer),
      ...changeCipherSpec,
      ...sealedFlight.flat(),
      ...serverHandshake.seal(HANDSHAKE, finished, paddingLen),
    ],
    clientFinish: () => [...changeCipherSpec, ...clientHandshake.seal(HANDSHAKE, finished)],
    early: sealer('CLIENT_EARLY_TRAFFIC_SECRET'),
    clientHandshake,
    serverHandshake,
    client: sealer('CLIENT_TRAFFIC_SECRET_0'),
    server: sealer('SERVER_TRAFFIC_SECRET_0'),
  }
}
