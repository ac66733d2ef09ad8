// One observation in words: the network it was made in, who answered, and what its answers have in common with another's.
import type { SiteHttp, SiteObservation } from '../../model/site.ts'
import { parseAddress } from '../../text/address.ts'
import { isLoopbackAddress, isPrivateAddress, isPublicAddress } from '../address-classes.ts'

/** `without the VPN`, `through the VPN (WireGuard 203.0.113.10:51820)`. */
export function networkWords({ network }: SiteObservation): string {
  if (network.tunnel === 'lost') return 'while the tunnel was lost'
  const way = network.tunnel === 'none' ? 'without the VPN' : 'through the VPN'
  const server = [network.transport, network.endpoint].filter((part) => part !== undefined && part !== '').join(' ')
  const known = [network.boundTo ?? '', network.tunnel === 'none' ? '' : server].filter((part) => part !== '')
  return known.length === 0 ? way : `${way} (${known.join(', ')})`
}

/** How the name was asked for. A request of ours (`check`) may ask over another way than it then takes. */
export function askedWords(one: SiteObservation): string {
  const over = one.dns?.interface
  const { boundTo } = one.network
  return boundTo === undefined || over === undefined || over === boundTo ? networkWords(one) : `over ${over}`
}

/** The last part of CF-RAY is the airport code of the edge. */
export function popOf(http: SiteHttp): string | undefined {
  return /-([A-Z]{3})$/.exec(http.cfRay ?? '')?.[1]
}

/** `nginx/1.22.1 at 198.51.100.81`, `cloudflare in POP FRA at …`. */
export function edgeWords(http: SiteHttp): string {
  const pop = popOf(http)
  const name = http.server === undefined ? 'a server that does not name itself' : http.server
  const via = http.via === undefined ? '' : `, via ${http.via}`
  return `${name}${pop === undefined ? '' : ` in POP ${pop}`} at ${http.address}${via}`
}

/** Addresses that were answered, else those that were gone to. */
export function answerAddresses(one: SiteObservation): string[] {
  const answers = one.dns?.answers ?? []
  return answers.length > 0 ? answers : one.addresses.map(({ address }) => address)
}

export type AnswerMatch = 'same' | 'same-operator' | 'different' | 'unknown'

/** OONI's rule: an address in common, or one autonomous system, is consistent. Families are compared apart. */
export function matchAnswers(control: SiteObservation, test: SiteObservation): AnswerMatch {
  let match: AnswerMatch = 'unknown'
  for (const isV6 of [false, true]) {
    const ofFamily = (one: SiteObservation) => answerAddresses(one).filter((address) => address.includes(':') === isV6)
    const before = ofFamily(control)
    const now = ofFamily(test)
    if (before.length === 0 || now.length === 0) continue
    if (before.some((address) => now.includes(address))) return 'same'
    const systems = new Set(asnsOf(control))
    if (asnsOf(test).some((asn) => systems.has(asn))) match = 'same-operator'
    else if (match === 'unknown') match = 'different'
  }
  return match
}

function asnsOf(one: SiteObservation): number[] {
  return one.addresses.flatMap(({ asn }) => (asn === undefined ? [] : [asn]))
}

/** No address on the internet: what filters, captive portals and split DNS give. */
export function isNowhere(address: string): boolean {
  const words = parseAddress(address)
  return words !== undefined && !isPublicAddress(...words)
}

/** This machine or its LAN. */
export function isLocal(address: string): boolean {
  const words = parseAddress(address)
  return words !== undefined && (isLoopbackAddress(...words) || isPrivateAddress(...words))
}
