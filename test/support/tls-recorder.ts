// A TLS client and a server of Node's own in this process, with everything they say to each other on the wire and the key log.
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { once } from 'node:events'
import { Duplex } from 'node:stream'
import { type ConnectionOptions, connect, createSecureContext, TLSSocket, type TlsOptions } from 'node:tls'
import { type Bytes, der, distinguishedName } from '../decoders/build-tls.ts'

export interface Recorded {
  /** Chunks in the order in which they went over the wire. */
  turns: { fromClient: boolean; bytes: Uint8Array }[]
  keyLog: string
  /** As the client calls it. */
  cipher: string
  protocol: string
  isResumed: boolean
  /** For the next connection. */
  session: Buffer | undefined
}

export interface Identity {
  key: string
  cert: string
}

/** A certificate signed by itself, valid for as long as anybody runs this. */
export function identity(kind: 'rsa' | 'ec'): Identity {
  const { privateKey, publicKey } =
    kind === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: 'prime256v1' })
  const pem = (text: string, body: Buffer) =>
    [`-----BEGIN ${text}-----`, ...body.toString('base64').match(/.{1,64}/g)!, `-----END ${text}-----`, ''].join('\n')
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    cert: pem('CERTIFICATE', Buffer.from(signedCertificate(kind, privateKey, publicKey))),
  }
}

function signedCertificate(kind: 'rsa' | 'ec', privateKey: KeyObject, publicKey: KeyObject): Bytes {
  const oid = kind === 'rsa' ? [0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 1, 1, 11] : [0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2]
  const algorithm = kind === 'rsa' ? der(0x30, der(6, oid), der(5)) : der(0x30, der(6, oid))
  const name = distinguishedName([['CN', `${kind}.example`]])
  const time = (text: string) => der(0x18, [...Buffer.from(text)])
  const body = der(
    0x30,
    der(0xa0, der(2, [2])),
    der(2, [1]),
    algorithm,
    name,
    der(0x30, time('20200101000000Z'), time('20990101000000Z')),
    name,
    [...publicKey.export({ type: 'spki', format: 'der' })],
  )
  return der(0x30, body, algorithm, der(3, [0, ...sign('sha256', Buffer.from(body), privateKey)]))
}

/** Two ends of a wire; `note` sees what is written to each. */
export function createWire(note: (fromClient: boolean, bytes: Uint8Array) => void): { client: Duplex; server: Duplex } {
  const make = (isClient: boolean, other: () => Duplex) =>
    new Duplex({
      read() {},
      write(chunk: Buffer, _encoding, done) {
        note(isClient, Uint8Array.from(chunk))
        // A copy, for TLS writes its next record over this one; and later, for who is in the middle of writing cannot read.
        const copy = Buffer.from(chunk)
        setImmediate(() => {
          other().push(copy)
          done()
        })
      },
      final(done) {
        setImmediate(() => {
          other().push(null)
          done()
        })
      },
    })
  const client: Duplex = make(true, () => server)
  const server: Duplex = make(false, () => client)
  return { client, server }
}

export interface Script {
  client?: ConnectionOptions
  server?: TlsOptions
  request: string
  response: string
  /** Runs on the client between the handshake and the request. */
  before?: (client: TLSSocket) => Promise<void>
}

/** One request and its response. @throws Error when the two cannot agree */
export async function record({ client, server, request, response, before }: Script): Promise<Recorded> {
  const turns: Recorded['turns'] = []
  const wire = createWire((fromClient, bytes) => turns.push({ fromClient, bytes }))
  const there = new TLSSocket(wire.server, {
    isServer: true,
    secureContext: createSecureContext(server),
    ...server,
  })
  let keyLog = ''
  let session: Buffer | undefined
  const here = connect({
    socket: wire.client,
    rejectUnauthorized: false,
    checkServerIdentity: () => undefined,
    ...client,
  })
  here.on('keylog', (line: Buffer) => {
    keyLog += line.toString('latin1')
  })
  here.on('session', (ticket: Buffer) => {
    session = ticket
  })
  try {
    const failed = Promise.race([once(there, 'error'), once(here, 'error')]).then(([error]) => {
      throw error
    })
    // Unless something goes wrong nobody waits for it.
    failed.catch(() => {})
    there.once('data', () => there.end(response))
    await Promise.race([once(here, 'secureConnect'), failed])
    if (before !== undefined) await Promise.race([before(here), failed])
    here.resume()
    here.write(request)
    await Promise.race([once(here, 'end'), failed])
    here.end()
    await new Promise((done) => setImmediate(done))
    return {
      turns,
      keyLog,
      cipher: here.getCipher().standardName,
      protocol: here.getProtocol() ?? '',
      isResumed: here.isSessionReused(),
      session,
    }
  } finally {
    here.destroy()
    there.destroy()
  }
}
