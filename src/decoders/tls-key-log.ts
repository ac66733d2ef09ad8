// Key logs, RFC 9850: one secret a line, named by its label and by the client random of the connection it belongs to.
// Programs append to them for months, so they are read where they stand, without a text a line.
import { latin1 } from './latin1.ts'
import { TLS_RANDOM_LEN } from './tls.ts'

/** The secrets that open records (RFC 9850 2.1, 2.2). */
const LABELS = [
  'CLIENT_RANDOM',
  'CLIENT_EARLY_TRAFFIC_SECRET',
  'CLIENT_HANDSHAKE_TRAFFIC_SECRET',
  'SERVER_HANDSHAKE_TRAFFIC_SECRET',
  'CLIENT_TRAFFIC_SECRET_0',
  'SERVER_TRAFFIC_SECRET_0',
] as const
export type SecretLabel = (typeof LABELS)[number]

/** RFC 5246 8.1. */
const MASTER_SECRET_LEN = 48
/** RFC 8446 7.1: as long as the hash, SHA-256 or SHA-384. */
const TRAFFIC_SECRET_LENS: readonly number[] = [32, 48]

const LF = 0x0a
const HASH = 0x23

/** `clientRandom`: one character a byte. `secret` is the taker's to keep. */
export type TakeSecret = (label: SecretLabel, clientRandom: string, secret: Uint8Array) => void

/**
 * Calls `take` for each secret of the log that opens records; comments and other labels are passed over. Returns the
 * number of lines that are none of all this. Never throws.
 */
export function readKeyLog(bytes: Uint8Array, take: TakeSecret): number {
  let damagedLines = 0
  for (let at = 0; at < bytes.length; ) {
    const lfAt = bytes.indexOf(LF, at)
    const endAt = lfAt < 0 ? bytes.length : lfAt
    if (!readLine(bytes, at, endAt, take)) damagedLines++
    at = endAt + 1
  }
  return damagedLines
}

/** False when the line makes no sense. */
function readLine(bytes: Uint8Array, at: number, endAt: number, take: TakeSecret): boolean {
  const labelAt = afterSpace(bytes, at, endAt)
  if (labelAt === endAt || bytes[labelAt] === HASH) return true
  const labelEndAt = wordEnd(bytes, labelAt, endAt)
  if (!isLabel(bytes, labelAt, labelEndAt)) return false
  const randomAt = afterSpace(bytes, labelEndAt, endAt)
  if (randomAt === endAt) return false
  const label = LABELS.find((one) => isText(bytes, labelAt, labelEndAt, one))
  if (label === undefined) return true
  const randomEndAt = wordEnd(bytes, randomAt, endAt)
  const secretAt = afterSpace(bytes, randomEndAt, endAt)
  const secretEndAt = wordEnd(bytes, secretAt, endAt)
  if (afterSpace(bytes, secretEndAt, endAt) !== endAt) return false
  const isLenRight =
    label === 'CLIENT_RANDOM'
      ? secretEndAt - secretAt === MASTER_SECRET_LEN * 2
      : TRAFFIC_SECRET_LENS.includes((secretEndAt - secretAt) / 2)
  if (randomEndAt - randomAt !== TLS_RANDOM_LEN * 2 || !isLenRight) return false
  const clientRandom = fromHex(bytes, randomAt, randomEndAt)
  const secret = fromHex(bytes, secretAt, secretEndAt)
  if (clientRandom === undefined || secret === undefined) return false
  take(label, latin1(clientRandom, 0, TLS_RANDOM_LEN), secret)
  return true
}

/** Spaces, tabs and the CR of a line that ends as other systems end theirs. */
function isSpace(byte: number): boolean {
  return byte === 0x20 || byte === 0x09 || byte === 0x0d
}

function afterSpace(bytes: Uint8Array, at: number, endAt: number): number {
  while (at < endAt && isSpace(bytes[at]!)) at++
  return at
}

function wordEnd(bytes: Uint8Array, at: number, endAt: number): number {
  while (at < endAt && !isSpace(bytes[at]!)) at++
  return at
}

/** Capitals, digits and underscores: labels that we do not know look like that too. */
function isLabel(bytes: Uint8Array, at: number, endAt: number): boolean {
  for (let i = at; i < endAt; i++) {
    const byte = bytes[i]!
    if (!((byte >= 0x41 && byte <= 0x5a) || (byte >= 0x30 && byte <= 0x39) || byte === 0x5f)) return false
  }
  return true
}

function isText(bytes: Uint8Array, at: number, endAt: number, text: string): boolean {
  if (endAt - at !== text.length) return false
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false
  return true
}

/** Undefined when there is anything but hexadecimal digits, an even number of them. */
function fromHex(bytes: Uint8Array, at: number, endAt: number): Uint8Array | undefined {
  const made = new Uint8Array((endAt - at) >> 1)
  for (let i = 0; i < made.length; i++) {
    const high = hexDigit(bytes[at + i * 2]!)
    const low = hexDigit(bytes[at + i * 2 + 1]!)
    if (high < 0 || low < 0) return undefined
    made[i] = high * 16 + low
  }
  return made
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30
  const lower = byte | 0x20
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1
}
