// What a person is told before anything is sent, and while it is: who is asked for the name, where connections go, over which
// interface, and what of it leaves outside the VPN.
import { VERSION } from '../daemon/version.ts'
import type { CheckResolver } from '../model/check.ts'
import type { Asked } from './ask.ts'
import type { FetchOutcome } from './fetch.ts'
import type { GoEvent } from './go.ts'
import type { CheckPlan } from './plan.ts'

/** What will be sent, a line each. */
export function planLines({ target, interfaces, resolvers, ways, hasTunnel, notes }: CheckPlan): string[] {
  const lines = [`${target.shown}: ${ways.length} ${ways.length === 1 ? 'way' : 'ways'}. What is sent:`]
  for (const resolver of resolvers) {
    const families = new Set(ways.filter((one) => one.resolver === resolver).map((one) => one.family))
    const types = [...families].sort().map((family) => (family === 4 ? 'A' : 'AAAA'))
    if (types.length > 0)
      lines.push(`  DNS question ${types.join(', ')} for ${target.host} to ${resolverWords(resolver)}`)
  }
  const where = target.addressFamily === undefined ? 'each address answered' : target.host
  for (const { name, role } of interfaces) {
    lines.push(
      `  TCP to port ${target.port} of ${where} over ${name} (${role}), ${target.scheme === 'https' ? 'TLS, ' : ''}one GET ${target.path}`,
    )
  }
  lines.push(`  User-Agent: tunnelscope/${VERSION} (check); no cookie, no credentials; redirects are not followed`)
  const outside = interfaces.filter((one) => one.role === 'physical').map((one) => one.name)
  if (hasTunnel && outside.length > 0)
    lines.push(...outsideLines(target.addressFamily === undefined, outside, interfaces.length > outside.length))
  return [...lines, ...notes.map((one) => `  ${one}`)]
}

/** It is a leak of that one name, made on purpose: whoever must not let it out has to know before. */
function outsideLines(isNamed: boolean, outside: readonly string[], canGoInside: boolean): string[] {
  const what = isNamed ? 'the name and the site’s address' : 'the site’s address'
  const by = outside.join(', ')
  return [
    `  Outside the VPN, over ${by}, ${what} can be seen as without a VPN; a daemon that watches reports it as a leak, and rightly.${canGoInside ? ' -i leaves interfaces out.' : ''}`,
  ]
}

export function eventLines(event: GoEvent): string[] {
  switch (event.what) {
    case 'asked':
      return [askedLine(event.asked)]
    case 'opens':
      return event.addresses.map(({ interfaceName, address }) => `opening ${address} over ${interfaceName}`)
    case 'opened':
      return [openedLine(event.outcome)]
  }
}

function askedLine({ resolver, family, answer, latencyMs, fault }: Asked): string {
  const type = family === 4 ? 'A' : 'AAAA'
  if (answer === undefined) return `asked ${resolverWords(resolver)} for ${type}: ${fault}`
  const said =
    answer.addresses.length > 0
      ? answer.addresses.slice(0, 4).join(', ')
      : answer.rcode === 'NOERROR'
        ? 'none'
        : answer.rcode
  return `asked ${resolverWords(resolver)} for ${type}: ${said}, ${(latencyMs ?? 0).toFixed(1)} ms`
}

function openedLine({ interfaceName, address, request, answer }: FetchOutcome): string {
  const came = request.fault ?? `${answer?.status}`
  return `opened ${address} over ${interfaceName}: ${came}, ${request.totalMs.toFixed(0)} ms`
}

function resolverWords({ address, port, over, source }: CheckResolver): string {
  const at = port === 53 ? address : address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
  return `${at} over ${over}${source === 'router' ? ' (the router, perhaps no resolver)' : ''}`
}
