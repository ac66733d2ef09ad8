// Cold path. Resource record data in presentation form, as a zone file or dig would write it; names without the final dot.
import type { DnsData } from './dns-data.ts'
import { ednsOptionText } from './dns-edns.ts'
import { svcParamsText } from './dns-svc-params.ts'
import { dnsTypeName } from './dns-tables.ts'

/** One line of inert ASCII. */
export function dataText(data: DnsData): string {
  switch (data.kind) {
    case 'address':
      return data.address
    case 'name':
      return nameOrRoot(data.name)
    case 'soa':
      return `${nameOrRoot(data.mname)} ${nameOrRoot(data.rname)} ${data.serial} ${data.refresh} ${data.retry} ${data.expire} ${data.minimum}`
    case 'mx':
      return `${data.preference} ${nameOrRoot(data.exchange)}`
    case 'strings':
      return data.strings.map(quoted).join(' ')
    case 'srv':
      return `${data.priority} ${data.weight} ${data.port} ${nameOrRoot(data.target)}`
    case 'caa':
      return `${data.flags} ${data.tag} ${quoted(data.value)}`
    case 'naptr':
      return `${data.order} ${data.preference} ${quoted(data.flags)} ${quoted(data.services)} ${quoted(data.regexp)} ${nameOrRoot(data.replacement)}`
    case 'svcb': {
      const params = svcParamsText(data.params)
      return `${data.priority} ${nameOrRoot(data.target)}${params === '' ? '' : ` ${params}`}`
    }
    case 'ds':
      return `${data.keyTag} ${data.algorithm} ${data.digestType} ${data.digest}`
    case 'dnskey':
      return `${data.flags} ${data.protocol} ${data.algorithm} ${data.publicKey}`
    case 'rrsig':
      return `${dnsTypeName(data.typeCovered)} ${data.algorithm} ${data.labels} ${data.originalTtl} ${secondsText(data.expiration)} ${secondsText(data.inception)} ${data.keyTag} ${nameOrRoot(data.signer)} ${data.signature}`
    case 'nsec':
      return [nameOrRoot(data.nextName), ...data.types.map(dnsTypeName)].join(' ')
    case 'nsec3':
      return [
        `${data.hashAlgorithm} ${data.flags} ${data.iterations} ${data.salt === '' ? '-' : data.salt} ${data.nextHashed}`,
        ...data.types.map(dnsTypeName),
      ].join(' ')
    case 'tlsa':
      return `${data.usage} ${data.selector} ${data.matchingType} ${data.certificate}`
    case 'sshfp':
      return `${data.algorithm} ${data.fingerprintType} ${data.fingerprint.replaceAll(':', '')}`
    case 'opt':
      return data.options.map(ednsOptionText).join('; ')
    case 'netbios':
      return data.nodes.map((node) => node.address).join(' ')
    case 'other':
      return data.hex
  }
}

/** A name on its own in a line: the root is a dot, or nothing would be seen. */
export function nameOrRoot(name: string): string {
  return name === '' ? '.' : name
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '\\"')}"`
}

/** RFC 4034 3.2: YYYYMMDDHHmmSS in UTC. The wire's 32 bits are taken as seconds since 1970. */
function secondsText(seconds: number): string {
  return new Date(seconds * 1000).toISOString().replaceAll(/[-:T]/g, '').slice(0, 14)
}
