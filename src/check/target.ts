// The site that a person names: a URL taken apart, or refused with one sentence. Its query is in the request and nowhere else.
import { isPrivateAddress, isPublicAddress } from '../analysis/address-classes.ts'
import type { IpFamily } from '../model/network-context.ts'
import { OperatorError } from '../model/operator-error.ts'
import { parseAddress, wordsText } from '../text/address.ts'

export interface Target {
  readonly scheme: 'http' | 'https'
  /** A-labels (RFC 5890) in lower case without a final dot, or an address in its usual form. */
  readonly host: string
  /** Set when the host is an address: there is no name to ask for. */
  readonly addressFamily?: IpFamily
  readonly port: number
  /** RFC 9110 7.2. */
  readonly hostHeader: string
  /** What the request asks for (RFC 9112 3.2.1), with its query. Not to be shown or kept. */
  readonly requestTarget: string
  readonly path: string
  /** The URL without its query. */
  readonly shown: string
}

/** Longer than browsers and servers take. */
const MAX_URL_LEN = 8192
/** RFC 1035 2.3.4. */
const MAX_NAME_LEN = 253
const MAX_LABEL_LEN = 63

/** `example.com`, `example.com:8443/path` and `http://…`; without a scheme it is https. @throws OperatorError `bad-url` */
export function parseTarget(given: string): Target {
  const named = withoutSecrets(given.slice(0, MAX_URL_LEN))
  const refuse = (why: string): never => {
    throw new OperatorError('bad-url', `${named}: ${why}`)
  }
  if (given.length > MAX_URL_LEN) return refuse(`a URL of more than ${MAX_URL_LEN} characters is not taken.`)
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(given)?.[1]?.toLowerCase()
  if (scheme !== undefined && scheme !== 'http' && scheme !== 'https') {
    return refuse('check opens http:// and https:// only.')
  }
  const text = scheme === undefined ? `https://${given}` : given
  if (!URL.canParse(text)) return refuse('this is no URL; give one like https://www.example.com/path.')
  const url = new URL(text)
  if (url.username !== '' || url.password !== '') {
    return refuse('a URL with a user name or password is not taken, for check sends no credentials; leave them out.')
  }
  const isHttps = url.protocol === 'https:'
  const port = url.port === '' ? (isHttps ? 443 : 80) : Number(url.port)
  if (port === 0) return refuse('there is no port 0.')
  const bare = url.hostname.replace(/^\[(.*)\]$/, '$1')
  const words = parseAddress(bare)
  const host = words === undefined ? url.hostname.replace(/\.$/, '') : wordsText(...words)
  if (words === undefined) checkName(host, refuse)
  else if (!leavesTheMachine(host)) return refuse('that is this machine itself, or no single host: nothing to compare.')
  const isDefaultPort = url.port === ''
  const inUrl = host.includes(':') ? `[${host}]` : host
  const hostHeader = isDefaultPort ? inUrl : `${inUrl}:${port}`
  return {
    scheme: isHttps ? 'https' : 'http',
    host,
    ...(words === undefined ? {} : { addressFamily: host.includes(':') ? 6 : 4 }),
    port,
    hostHeader,
    requestTarget: `${url.pathname}${url.search}`,
    path: url.pathname,
    shown: `${url.protocol}//${hostHeader}${url.pathname}`,
  }
}

/** What is told of a wrong URL: neither its query nor what stands before an @. Passwords hold any character. */
function withoutSecrets(given: string): string {
  const scheme = /^[a-z][a-z0-9+.-]*:\/\//i.exec(given)?.[0] ?? ''
  const rest = given.slice(scheme.length)
  const endAt = rest.lastIndexOf('@')
  if (/[/?#\\]/.test(rest.slice(0, Math.max(0, endAt)))) return `${scheme}…`
  return `${scheme}${endAt < 0 ? '' : '…@'}${rest.slice(endAt + 1).replace(/[?#].*/s, '')}`
}

function checkName(host: string, refuse: (why: string) => never): void {
  const labels = host.split('.')
  if (host.length > MAX_NAME_LEN || labels.some((label) => label === '' || label.length > MAX_LABEL_LEN)) {
    refuse('this is no name that can be asked for (RFC 1035 2.3.4).')
  }
  // RFC 6761 6.3.
  if (labels.at(-1) === 'localhost') refuse('localhost is this machine itself, so there is nothing to compare.')
}

/** One other host's address: not loopback, multicast, broadcast or unspecified. */
export function leavesTheMachine(address: string): boolean {
  const words = parseAddress(address)
  return words !== undefined && (isPublicAddress(...words) || isPrivateAddress(...words))
}
