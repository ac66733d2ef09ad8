// Cold path. Service parameters of SVCB and HTTPS records (RFC 9460 2.2 and 7) as text.
import { bytesAddressText } from './address.ts'
import { asciiText, base64Text, u16 } from './binary-text.ts'
import { svcParamName } from './dns-tables.ts'

/** One parameter: `value` is in presentation form without quotes, '' when the key has none. */
export interface SvcParam {
  key: number
  name: string
  value: string
}

const KEY_MANDATORY = 0
const KEY_ALPN = 1
const KEY_PORT = 3
const KEY_IPV4HINT = 4
const KEY_ECH = 5
const KEY_IPV6HINT = 6
const PARAM_HEADER_LEN = 4

/** The parameters in [at, endAt), or undefined when lengths or order are wrong (keys ascend strictly, RFC 9460 2.2). */
export function readSvcParams(bytes: Uint8Array, at: number, endAt: number): SvcParam[] | undefined {
  const params: SvcParam[] = []
  let lastKey = -1
  while (at < endAt) {
    if (endAt - at < PARAM_HEADER_LEN) return undefined
    const key = u16(bytes, at)
    const valueAt = at + PARAM_HEADER_LEN
    const valueEndAt = valueAt + u16(bytes, at + 2)
    if (valueEndAt > endAt || key <= lastKey) return undefined
    const value = valueText(bytes, key, valueAt, valueEndAt)
    if (value === undefined) return undefined
    params.push({ key, name: svcParamName(key), value })
    lastKey = key
    at = valueEndAt
  }
  return params
}

/** `alpn="h2,h3" port="8443"`, as in a zone file. */
export function svcParamsText(params: readonly SvcParam[]): string {
  return params.map(({ name, value }) => (value === '' ? name : `${name}="${value}"`)).join(' ')
}

function valueText(bytes: Uint8Array, key: number, at: number, endAt: number): string | undefined {
  const len = endAt - at
  switch (key) {
    case KEY_MANDATORY:
      if (len === 0 || len % 2 !== 0) return undefined
      return each(at, endAt, 2, (keyAt) => svcParamName(u16(bytes, keyAt)))
    case KEY_ALPN:
      return alpnText(bytes, at, endAt)
    case KEY_PORT:
      return len === 2 ? String(u16(bytes, at)) : undefined
    case KEY_IPV4HINT:
      return len > 0 && len % 4 === 0 ? each(at, endAt, 4, (hintAt) => bytesAddressText(bytes, hintAt, 4)) : undefined
    case KEY_IPV6HINT:
      return len > 0 && len % 16 === 0
        ? each(at, endAt, 16, (hintAt) => bytesAddressText(bytes, hintAt, 16))
        : undefined
    case KEY_ECH:
      return base64Text(bytes, at, endAt)
    default:
      return asciiText(bytes, at, endAt).replaceAll('"', '\\"')
  }
}

/** RFC 9460 7.1.1: one byte of length and at least one byte of protocol name, at least once. */
function alpnText(bytes: Uint8Array, at: number, endAt: number): string | undefined {
  const names: string[] = []
  while (at < endAt) {
    const nameEndAt = at + 1 + bytes[at]!
    if (nameEndAt === at + 1 || nameEndAt > endAt) return undefined
    // RFC 9460 A.1: a comma inside a name is escaped, so that the list stays readable.
    names.push(
      asciiText(bytes, at + 1, nameEndAt)
        .replaceAll('"', '\\"')
        .replaceAll(',', '\\\\,'),
    )
    at = nameEndAt
  }
  return names.length === 0 ? undefined : names.join(',')
}

function each(at: number, endAt: number, step: number, text: (itemAt: number) => string): string {
  const items: string[] = []
  for (; at < endAt; at += step) items.push(text(at))
  return items.join(',')
}
