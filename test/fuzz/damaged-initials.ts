// QUIC's Initial packets, damaged: before they are sealed, so that the readers of frames and hellos meet it, and after,
// on the outside. The same seed and number give the same datagram.
import { type Bytes, be16, be32, concat } from '../decoders/build-packet.ts'
import { cryptoFrame, padded, QUIC_DRAFT_29, QUIC_V1, QUIC_V2, sealInitial } from '../decoders/build-quic.ts'
import { clientHello, extensions } from '../decoders/build-tls.ts'
import { createRandom, noise } from '../fixtures/frames.ts'
import { mutate } from './mutate.ts'

export type Damage =
  | 'frames'
  | 'sealed'
  | 'header'
  | 'truncated'
  | 'snapped'
  | 'coalesced'
  | 'version'
  | 'strange frames'
  | 'pieces'

export const DAMAGES: readonly Damage[] = Object.freeze([
  'frames',
  'sealed',
  'header',
  'truncated',
  'snapped',
  'coalesced',
  'version',
  'strange frames',
  'pieces',
])

export interface DamagedInitial {
  damage: Damage
  payload: Bytes
  /** Bytes the datagram had on the wire; more than `payload` has when a snap length cut it. */
  wireLen: number
}

/** What a datagram may hold here; damage that makes copies must not grow it without end. */
const MAX_LEN = 4000
/** Every place of the long header, ids and lengths included. */
const HEADER_LEN = 40
const SEALED_VERSIONS = [QUIC_V1, QUIC_V2, QUIC_DRAFT_29]
/** Negotiation, drafts, those that Facebook and Google made, reserved ones (RFC 9000 15), and what is none. */
const OTHER_VERSIONS = [0, 0xff000016, 0xff000017, 0xff000020, 0xff000022, 0xfaceb002, 0x54303530, 0x54303531]
const STRANGE_VERSIONS = [...SEALED_VERSIONS, ...OTHER_VERSIONS, 0x51303436, 0x0a0a0a0a, 2, 0xffffffff]

const HELLO = Uint8Array.from(
  clientHello({ extensions: [extensions.serverName('fuzz.example'), extensions.alpn(['h3', 'doq'])] }),
)

/** The datagram of that number. */
export function damagedInitial(seed: number, round: number): DamagedInitial {
  const random = createRandom(Math.imul(seed, 0x9e3779b1) ^ round)
  const damage = DAMAGES[random() % DAMAGES.length]!
  const destinationId = noise(random(), random() % 4 === 0 ? random() % 21 : 8)
  const version = SEALED_VERSIONS[random() % SEALED_VERSIONS.length]!
  const token = random() % 4 === 0 ? noise(random(), random() % 64) : new Uint8Array(0)
  const packetNumberLen = 1 + (random() % 4)
  const seal = (payload: Bytes): Bytes =>
    sealInitial({ version, destinationId, token, packetNumberLen, payload: padded(payload.slice(0, MAX_LEN), 20) })
  const whole = (payload: Bytes): DamagedInitial => ({ damage, payload, wireLen: payload.length })
  const frames = helloFrames(random)
  switch (damage) {
    case 'frames':
      return whole(seal(mutate(frames, random())))
    case 'sealed':
      return whole(mutate(seal(frames), random()).slice(0, MAX_LEN))
    case 'header':
      return whole(damagedHeader(seal(frames), random))
    case 'truncated': {
      const sealed = seal(frames)
      return whole(sealed.slice(0, random() % sealed.length))
    }
    case 'snapped': {
      const sealed = seal(frames)
      return { damage, payload: sealed.slice(0, random() % sealed.length), wireLen: sealed.length }
    }
    case 'coalesced':
      return whole(coalesced(seal, frames, random))
    case 'version':
      return whole(withVersion(seal(frames), random))
    case 'strange frames':
      return whole(seal(strangeFrames(random)))
    case 'pieces':
      return whole(seal(manyPieces(random)))
  }
}

/** The hello in two pieces, the later one first, with a ping between them. */
function helloFrames(random: () => number): Bytes {
  const cutAt = 1 + (random() % (HELLO.length - 1))
  return padded(concat(cryptoFrame(cutAt, HELLO.slice(cutAt)), 1, cryptoFrame(0, HELLO.slice(0, cutAt))), 300)
}

/** One to three bytes of the header become something else: types, ids' lengths, the token's and the packet's. */
function damagedHeader(packet: Bytes, random: () => number): Bytes {
  for (let change = random() % 3; change >= 0; change--) packet[random() % HEADER_LEN] = random() >>> 24
  return packet
}

/** Several packets in one datagram, more than a reader follows, whole and damaged, sometimes with something behind them. */
function coalesced(seal: (payload: Bytes) => Bytes, frames: Bytes, random: () => number): Bytes {
  const parts: Bytes[] = []
  for (let count = 1 + (random() % 12); count > 0; count--) {
    const small = seal(frames.slice(0, 1 + (random() % frames.length)))
    parts.push(random() % 3 === 0 ? mutate(small, random()) : small)
  }
  if (random() % 2 === 0) parts.push(noise(random(), random() % 80))
  return concat(...parts).slice(0, MAX_LEN)
}

/** Another version over the same bytes: the keys are wrong, the layout may be. Some are lists of versions. */
function withVersion(packet: Bytes, random: () => number): Bytes {
  const version = random() % 4 === 0 ? random() : STRANGE_VERSIONS[random() % STRANGE_VERSIONS.length]!
  packet.set(be32(version), 1)
  if (version !== 0 || random() % 2 === 0) return packet
  const idsEndAt = 7 + packet[5]! + packet[6 + packet[5]!]!
  const offered = Array.from({ length: random() % 40 }, () => STRANGE_VERSIONS[random() % STRANGE_VERSIONS.length]!)
  return concat(packet.slice(0, idsEndAt), offered.flatMap(be32))
}

/** Frames of any kind with numbers of any size, well sealed. */
function strangeFrames(random: () => number): Bytes {
  const parts: (Bytes | number[] | number)[] = []
  for (let count = random() % 40; count > 0; count--) {
    const kind = random() % 6
    if (kind === 0) parts.push(random() % 0x20)
    else if (kind === 1)
      parts.push(2 + (random() % 2), ...Array.from({ length: 4 + (random() % 6) }, () => integer(random)))
    else if (kind === 2) parts.push(6, integer(random), integer(random), noise(random(), random() % 40))
    else if (kind === 3) parts.push(cryptoFrame(random() % 0x3fff, noise(random(), random() % 200)))
    else if (kind === 4) parts.push(new Uint8Array(random() % 30))
    else parts.push(new Uint8Array(random() % 300).fill(1))
  }
  return concat(...parts)
}

/** A message cut into many pieces out of order, some twice, some contradicting each other; its length may be a lie. */
function manyPieces(random: () => number): Bytes {
  const message = Uint8Array.from(HELLO)
  if (random() % 3 === 0) message.set([0, ...be16(random() & 0xffff)], 1)
  const pieces: Bytes[] = []
  for (let count = 1 + (random() % 300); count > 0; count--) {
    const at = random() % message.length
    const piece = message.slice(at, at + 1 + (random() % 8))
    if (random() % 10 === 0) piece[0] = random() & 0xff
    pieces.push(cryptoFrame(at, piece))
  }
  return concat(...pieces)
}

/** A variable-length integer of one of the four lengths, any value (RFC 9000 16). */
function integer(random: () => number): Bytes {
  const power = random() % 4
  const bytes = noise(random(), 1 << power)
  bytes[0] = (bytes[0]! & 0x3f) | (power << 6)
  return bytes
}
