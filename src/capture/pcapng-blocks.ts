// The pcapng blocks that are read once and carry no packet: interface description and statistics, name resolution,
// decryption secrets (draft-ietf-opsawg-pcapng 4.2, 4.5, 4.6, 4.7). Offsets bound the block's body; all are whole.
import ipaddr from 'ipaddr.js'
import { MAX_ANNEX_NAMES, MAX_ANNEX_SECRETS_LEN } from '../constants/limits.ts'
import type { InterfaceStatistics } from '../model/capture-interface.ts'
import { BlockOptions, OPT_COMMENT } from './pcapng-options.ts'
import type { DeclaredInterface } from './register-interface.ts'
import type { CaptureAnnex } from './source.ts'
import { type Clock, createClock, stampMicros } from './timestamp.ts'

const IF_NAME = 2
const IF_DESCRIPTION = 3
const IF_IPV4ADDR = 4
const IF_IPV6ADDR = 5
const IF_TSRESOL = 9
const IF_FILTER = 11
const IF_TSOFFSET = 14

const ISB_STARTTIME = 2
const ISB_ENDTIME = 3
const ISB_IFRECV = 4
const ISB_IFDROP = 5
const ISB_OSDROP = 7

const NRB_RECORD_END = 0
const NRB_RECORD_IPV4 = 1
const NRB_RECORD_IPV6 = 2

const SECRETS_TLS_KEY_LOG = 0x544c534b
/** What holding one key log costs beside its text. */
const SECRETS_COST = 64

/** Body of an Interface Description Block: what it declares, and the clock its stamps count by. */
export function readInterface(view: DataView, at: number, endAt: number, little: boolean) {
  const options = new BlockOptions(view, at + 8, endAt, little)
  const addresses: string[] = []
  for (const value of options.all(IF_IPV4ADDR)) if (value.length >= 4) addresses.push(addressText(value.subarray(0, 4)))
  for (const value of options.all(IF_IPV6ADDR)) {
    if (value.length >= 16) addresses.push(addressText(value.subarray(0, 16)))
  }
  const name = options.text(IF_NAME)
  const description = options.text(IF_DESCRIPTION)
  const comment = options.text(OPT_COMMENT)
  // The first octet says what kind of filter it is; 0 is libpcap's language as text.
  const filter = options.bytes(IF_FILTER)?.[0] === 0 ? options.text(IF_FILTER, 1) : undefined
  const declared: DeclaredInterface = {
    linkType: view.getUint16(at, little),
    snapLen: view.getUint32(at + 4, little),
    addresses,
    ...(name === undefined ? {} : { name }),
    ...(description === undefined ? {} : { description }),
    ...(comment === undefined ? {} : { comment }),
    ...(filter === undefined ? {} : { filter }),
  }
  const offset = options.words(IF_TSOFFSET)
  const offsetSeconds =
    offset === undefined ? 0 : (little ? offset[1] | 0 : offset[0] | 0) * 2 ** 32 + (little ? offset[0] : offset[1])
  return { declared, clock: createClock(options.bytes(IF_TSRESOL)?.[0] ?? 6, offsetSeconds) }
}

/** Options of an Interface Statistics Block, in microseconds and packets; `before` is what an earlier block of the interface said. */
export function readStatistics(
  view: DataView,
  at: number,
  endAt: number,
  little: boolean,
  clock: Clock,
  nearMicros: number,
  before: InterfaceStatistics | undefined,
): InterfaceStatistics {
  const options = new BlockOptions(view, at, endAt, little)
  const statistics: InterfaceStatistics = { ...before }
  // Stamps are stored high word first whatever the byte order of each word.
  const start = options.words(ISB_STARTTIME)
  const end = options.words(ISB_ENDTIME)
  const received = options.uint64(ISB_IFRECV)
  const interfaceDropped = options.uint64(ISB_IFDROP)
  const systemDropped = options.uint64(ISB_OSDROP)
  if (start !== undefined) statistics.startMicros = nearerMicros(clock, start, nearMicros)
  if (end !== undefined) statistics.endMicros = nearerMicros(clock, end, nearMicros)
  if (received !== undefined) statistics.received = received
  if (interfaceDropped !== undefined || systemDropped !== undefined) {
    statistics.dropped = (interfaceDropped ?? 0) + (systemDropped ?? 0)
  }
  return statistics
}

function nearerMicros(clock: Clock, stamp: readonly [number, number], nearMicros: number): number {
  const declared = stampMicros(clock, stamp[0], stamp[1])
  const plain = stampMicros(MICROSECOND_CLOCK, stamp[0], stamp[1])
  return Math.abs(plain - nearMicros) < Math.abs(declared - nearMicros) ? plain : declared
}

const MICROSECOND_CLOCK = createClock()

/** Records of a Name Resolution Block, kept in the annex up to its bound; a broken record ends the block. */
export function readNames(view: DataView, at: number, endAt: number, little: boolean, annex: CaptureAnnex): void {
  while (endAt - at >= 4 && annex.names.length < MAX_ANNEX_NAMES) {
    const type = view.getUint16(at, little)
    const valueLen = view.getUint16(at + 2, little)
    if (type === NRB_RECORD_END || valueLen > endAt - at - 4) return
    const addressLen = type === NRB_RECORD_IPV4 ? 4 : type === NRB_RECORD_IPV6 ? 16 : 0
    if (addressLen > 0 && valueLen > addressLen) {
      const value = new Uint8Array(view.buffer, view.byteOffset + at + 4, valueLen)
      const names = utf8
        .decode(value.subarray(addressLen))
        .split('\0')
        .filter((name) => name !== '')
      annex.names.push({ address: addressText(value.subarray(0, addressLen)), names })
    }
    at += 4 + ((valueLen + 3) & ~3)
  }
}

/** A Decryption Secrets Block: TLS key log lines go to the annex, up to its bound; other secrets are passed over. */
export function readSecrets(view: DataView, at: number, endAt: number, little: boolean, annex: CaptureAnnex): void {
  const secretsLen = view.getUint32(at + 4, little)
  if (view.getUint32(at, little) !== SECRETS_TLS_KEY_LOG || secretsLen > endAt - at - 8) return
  const heldLen = (annex.tlsKeyLogsLen ?? 0) + secretsLen + SECRETS_COST
  if (heldLen > MAX_ANNEX_SECRETS_LEN) return
  annex.tlsKeyLogsLen = heldLen
  annex.tlsKeyLogs.push(utf8.decode(new Uint8Array(view.buffer, view.byteOffset + at + 8, secretsLen)))
}

function addressText(bytes: Uint8Array): string {
  return ipaddr.fromByteArray([...bytes]).toString()
}

const utf8 = new TextDecoder()
