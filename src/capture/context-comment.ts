// The network context that our own captures carry as comments, read back: checked field by field, for a capture may come
// from anybody. Routes and rules are left behind; what follows from them is in the context itself.
import { MAX_EPOCHS } from '../constants/limits.ts'
import type {
  AddressState,
  DnsServer,
  EgressState,
  EndpointHint,
  InterfaceState,
  IpFamily,
  NetworkContext,
  TunnelState,
} from '../model/network-context.ts'
import type { InterfaceRole } from '../model/report.ts'
import { tcpMtuProbingOf } from './os-settings.ts'
import { BlockOptions, OPT_COMMENT } from './pcapng-options.ts'
import { CONTEXT_COMMENT } from './pcapng-writer.ts'
import type { CaptureAnnex } from './source.ts'

const ROLES: readonly InterfaceRole[] = ['physical', 'tunnel', 'loopback', 'virtual', 'unknown']
/** Entries taken of one list; 64 KB of JSON hold no more that mean anything. */
const MAX_ENTRIES = 4096
const MAX_TEXT_LEN = 256

/** Adds every context among the comments of a block's options to the annex; anything else is passed over. */
export function readContexts(view: DataView, at: number, endAt: number, little: boolean, annex: CaptureAnnex): void {
  for (const value of new BlockOptions(view, at, endAt, little).all(OPT_COMMENT)) {
    if (annex.contexts !== undefined && annex.contexts.length >= MAX_EPOCHS) return
    const context = parseContext(value)
    if (context === undefined) continue
    annex.contexts ??= []
    annex.contexts.push(context)
  }
}

/** The context in a comment; undefined when it holds none or a malformed one. Never throws. */
export function parseContext(comment: Uint8Array): NetworkContext | undefined {
  for (let i = 0; i < CONTEXT_COMMENT.length; i++) if (comment[i] !== CONTEXT_COMMENT.charCodeAt(i)) return undefined
  let value: unknown
  try {
    value = JSON.parse(utf8.decode(comment.subarray(CONTEXT_COMMENT.length)))
  } catch {
    return undefined
  }
  const from = fieldsOf(value)
  if (from === undefined || !isCount(from.timeMicros)) return undefined
  const interfaces = listOf(from.interfaces, interfaceState)
  if (interfaces.length === 0) return undefined
  const tcpMtuProbing = tcpMtuProbingOf(from.tcpMtuProbing)
  return {
    timeMicros: from.timeMicros,
    changes: listOf(from.changes, textOf),
    interfaces,
    routes: [],
    rules: [],
    dnsServers: listOf(from.dnsServers, dnsServer),
    searchDomains: listOf(from.searchDomains, textOf),
    egress: listOf(from.egress, egressState),
    tunnels: listOf(from.tunnels, tunnelState),
    endpoints: listOf(from.endpoints, endpointHint),
    routesCut: true,
    ...(tcpMtuProbing === undefined ? {} : { tcpMtuProbing }),
    ...(Array.isArray(from.gaps) ? { gaps: listOf(from.gaps, textOf) } : {}),
    ...(Array.isArray(from.watched) ? { watched: listOf(from.watched, textOf) } : {}),
  }
}

type Fields = Readonly<Record<string, unknown>>

const utf8 = new TextDecoder()

function fieldsOf(value: unknown): Fields | undefined {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined
}

function listOf<T>(value: unknown, read: (entry: unknown) => T | undefined): T[] {
  if (!Array.isArray(value)) return []
  const made: T[] = []
  for (const entry of value.slice(0, MAX_ENTRIES)) {
    const one = read(entry)
    if (one !== undefined) made.push(one)
  }
  return made
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' ? value.slice(0, MAX_TEXT_LEN) : undefined
}

function familyOf(value: unknown): IpFamily | undefined {
  return value === 4 || value === 6 ? value : undefined
}

function interfaceState(value: unknown): InterfaceState | undefined {
  const from = fieldsOf(value)
  const link = fieldsOf(from?.link)
  const name = textOf(link?.name)
  const role = ROLES.find((one) => one === from?.role)
  if (link === undefined || name === undefined || role === undefined || !isCount(link.index)) return undefined
  const { index, hardwareType, flags, mtu } = link
  const kind = textOf(link.kind)
  return {
    link: {
      index,
      name,
      ...(kind === undefined ? {} : { kind }),
      hardwareType: isCount(hardwareType) ? hardwareType : 0,
      flags: isCount(flags) ? flags : 0,
      mtu: isCount(mtu) ? mtu : 0,
      up: link.up === true,
      carrier: link.carrier === true,
    },
    role,
    reason: textOf(from?.reason) ?? '',
    addresses: listOf(from?.addresses, addressState),
  }
}

function addressState(value: unknown): AddressState | undefined {
  const from = fieldsOf(value)
  const family = familyOf(from?.family)
  const address = textOf(from?.address)
  if (family === undefined || address === undefined || !isCount(from?.interfaceIndex)) return undefined
  const { interfaceIndex, prefixLen, scope } = from
  return {
    interfaceIndex,
    family,
    address,
    prefixLen: isCount(prefixLen) ? prefixLen : 0,
    scope: isCount(scope) ? scope : 0,
  }
}

function dnsServer(value: unknown): DnsServer | undefined {
  const from = fieldsOf(value)
  const address = textOf(from?.address)
  if (address === undefined) return undefined
  return { address, port: isCount(from?.port) ? from.port : 53, source: textOf(from?.source) ?? '' }
}

function egressState(value: unknown): EgressState | undefined {
  const from = fieldsOf(value)
  const family = familyOf(from?.family)
  const mode = (['full', 'split', 'none'] as const).find((one) => one === from?.mode)
  if (family === undefined || mode === undefined) return undefined
  return {
    family,
    mode,
    ...(isCount(from?.interfaceIndex) ? { interfaceIndex: from.interfaceIndex } : {}),
    ...(isCount(from?.physicalIndex) ? { physicalIndex: from.physicalIndex } : {}),
  }
}

function tunnelState(value: unknown): TunnelState | undefined {
  const from = fieldsOf(value)
  const family = familyOf(from?.family)
  const name = textOf(from?.name)
  const state = (['up', 'down', 'absent'] as const).find((one) => one === from?.state)
  if (family === undefined || name === undefined || state === undefined || !isCount(from?.interfaceIndex)) {
    return undefined
  }
  return { interfaceIndex: from.interfaceIndex, name, family, state }
}

function endpointHint(value: unknown): EndpointHint | undefined {
  const from = fieldsOf(value)
  const address = textOf(from?.address)
  if (address === undefined || !isCount(from?.interfaceIndex)) return undefined
  return { address, interfaceIndex: from.interfaceIndex, basis: 'host-route' }
}
