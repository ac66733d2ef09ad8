// The one question that `check` asks, as bytes (RFC 1035 4), and what an answer to it says. Pure.
import { MAX_ANSWER_ADDRESSES } from '../constants/limits.ts'
import { DNS_FLAG_RD, DNS_HEADER_LEN, DNS_TYPE_A, DNS_TYPE_AAAA, DNS_TYPE_OPT } from '../constants/wire.ts'
import type { IpFamily } from '../model/network-context.ts'
import { readDnsMessage } from '../text/dns-message.ts'
import { dnsRcodeName } from '../text/dns-tables.ts'

export interface DnsQuestionText {
  readonly id: number
  /** A-labels without a final dot. */
  readonly name: string
  readonly family: IpFamily
}

export interface DnsAnswerText {
  rcode: string
  addresses: string[]
  /** It did not fit: to be asked over TCP. */
  isTruncated: boolean
}

const CLASS_IN = 1
/** What passes everywhere without fragments (RFC 9715 3.1). */
const UDP_PAYLOAD_LEN = 1232

/** A recursive question with an OPT record (RFC 6891). */
export function encodeQuestion({ id, name, family }: DnsQuestionText): Uint8Array {
  const labels = name.split('.')
  const nameLen = labels.reduce((sum, label) => sum + 1 + label.length, 1)
  const bytes = new Uint8Array(DNS_HEADER_LEN + nameLen + 4 + 11)
  const view = new DataView(bytes.buffer)
  view.setUint16(0, id)
  view.setUint16(2, DNS_FLAG_RD)
  view.setUint16(4, 1)
  view.setUint16(10, 1)
  let at = DNS_HEADER_LEN
  for (const label of labels) {
    bytes[at++] = label.length
    for (let i = 0; i < label.length; i++) bytes[at++] = label.charCodeAt(i)
  }
  view.setUint16(at + 1, typeOf(family))
  view.setUint16(at + 3, CLASS_IN)
  // The root's name, the type, the size in place of a class; TTL and data are empty.
  view.setUint16(at + 6, DNS_TYPE_OPT)
  view.setUint16(at + 8, UDP_PAYLOAD_LEN)
  return bytes
}

/** What the message says of our question; undefined when it is no whole answer to it (RFC 5452 9.1). Never throws. */
export function readAnswer(bytes: Uint8Array, question: DnsQuestionText): DnsAnswerText | undefined {
  const message = readDnsMessage(bytes, 0, bytes.length, undefined, [DNS_TYPE_A, DNS_TYPE_AAAA])
  if (message === undefined || !message.response || message.id !== question.id) return undefined
  const [asked] = message.queries
  const isOurs =
    message.queries.length === 1 &&
    asked!.type === typeOf(question.family) &&
    asked!.class === CLASS_IN &&
    asked!.name.toLowerCase() === question.name
  if (!isOurs) return undefined
  const addresses = new Set<string>()
  for (const { type, data } of message.answers) {
    if (type === asked!.type && data.kind === 'address' && addresses.size < MAX_ANSWER_ADDRESSES) {
      addresses.add(data.address)
    }
  }
  return { rcode: dnsRcodeName(message.rcode), addresses: [...addresses], isTruncated: message.truncated }
}

function typeOf(family: IpFamily): number {
  return family === 4 ? DNS_TYPE_A : DNS_TYPE_AAAA
}
