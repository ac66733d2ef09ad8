// Cold path. EDNS options (RFC 6891 6.1.2) as objects and as text.

import { bytesAddressText } from './address.ts'
import { asciiText, hexText } from './binary-text.ts'
import { EDNS_OPTION_NAMES, extendedErrorName } from './dns-tables.ts'

/** One option; `name` is set when it was understood, `hex` always holds its data. */
export interface EdnsOption {
  code: number
  hex: string
  /** client-subnet, RFC 7871 6: `192.0.2.0/24`. */
  clientSubnet?: string
  scopePrefixLen?: number
  /** cookie, RFC 7873 4, hexadecimal. */
  clientCookie?: string
  serverCookie?: string
  /** padding, RFC 7830 3: how many bytes. */
  paddingLen?: number
  /** extended error, RFC 8914 2. */
  infoCode?: number
  extraText?: string
}

const OPTION_CLIENT_SUBNET = 8
const OPTION_COOKIE = 10
const OPTION_PADDING = 12
const OPTION_EXTENDED_ERROR = 15
const OPTION_HEADER_LEN = 4
const SUBNET_HEADER_LEN = 4
const CLIENT_COOKIE_LEN = 8

/** The options in [at, endAt), or undefined when their lengths do not add up. */
export function readEdnsOptions(bytes: Uint8Array, at: number, endAt: number): EdnsOption[] | undefined {
  const options: EdnsOption[] = []
  while (at < endAt) {
    if (endAt - at < OPTION_HEADER_LEN) return undefined
    const code = (bytes[at]! << 8) | bytes[at + 1]!
    const dataAt = at + OPTION_HEADER_LEN
    at = dataAt + ((bytes[at + 2]! << 8) | bytes[at + 3]!)
    if (at > endAt) return undefined
    options.push(readOption(bytes, code, dataAt, at))
  }
  return options
}

/** `client-subnet 192.0.2.0/24`, `cookie 0011…`, `padding 12`, `extended-error 15 (Blocked)`, … */
export function ednsOptionText(option: EdnsOption): string {
  const name = EDNS_OPTION_NAMES[option.code] ?? `option${option.code}`
  if (option.clientSubnet !== undefined) return `${name} ${option.clientSubnet}/${option.scopePrefixLen}`
  if (option.paddingLen !== undefined) return `${name} ${option.paddingLen}`
  if (option.infoCode !== undefined) {
    const extra = option.extraText ? `: ${option.extraText}` : ''
    return `${name} ${option.infoCode} (${extendedErrorName(option.infoCode)}${extra})`
  }
  return option.hex === '' ? name : `${name} ${option.hex}`
}

function readOption(bytes: Uint8Array, code: number, at: number, endAt: number): EdnsOption {
  const len = endAt - at
  if (code === OPTION_PADDING) return { code, hex: '', paddingLen: len }
  const option: EdnsOption = { code, hex: hexText(bytes, at, endAt) }
  if (code === OPTION_CLIENT_SUBNET) readClientSubnet(bytes, at, endAt, option)
  else if (code === OPTION_COOKIE && len >= CLIENT_COOKIE_LEN) {
    option.clientCookie = hexText(bytes, at, at + CLIENT_COOKIE_LEN)
    if (len > CLIENT_COOKIE_LEN) option.serverCookie = hexText(bytes, at + CLIENT_COOKIE_LEN, endAt)
  } else if (code === OPTION_EXTENDED_ERROR && len >= 2) {
    option.infoCode = (bytes[at]! << 8) | bytes[at + 1]!
    // RFC 8914 2: EXTRA-TEXT may be null-terminated although it need not be.
    const textEndAt = len > 2 && bytes[endAt - 1] === 0 ? endAt - 1 : endAt
    option.extraText = asciiText(bytes, at + 2, textEndAt)
  }
  return option
}

/** RFC 7871 6: only the bytes the source prefix needs are sent; the rest of the address is zero. */
function readClientSubnet(bytes: Uint8Array, at: number, endAt: number, option: EdnsOption): void {
  if (endAt - at < SUBNET_HEADER_LEN) return
  const family = (bytes[at]! << 8) | bytes[at + 1]!
  const addressLen = family === 1 ? 4 : family === 2 ? 16 : 0
  const givenLen = endAt - at - SUBNET_HEADER_LEN
  if (addressLen === 0 || givenLen > addressLen) return
  const address = new Uint8Array(addressLen)
  address.set(bytes.subarray(at + SUBNET_HEADER_LEN, endAt))
  option.clientSubnet = `${bytesAddressText(address, 0, addressLen)}/${bytes[at + 2]}`
  option.scopePrefixLen = bytes[at + 3]!
}
