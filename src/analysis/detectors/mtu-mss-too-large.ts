// mtu-mss-too-large: connections through the tunnel announce an MSS that its MTU cannot hold (RFC 9293 3.7.1).
import { DEFAULT_MSS_V4, DEFAULT_MSS_V6, TCP_HEADERS_V4, TCP_HEADERS_V6 } from '../../constants/tunnel-overhead.ts'
import { IPPROTO_TCP } from '../../constants/wire.ts'
import type { FlowFact } from '../../model/connection-facts.ts'
import type { Detector, DetectorMeta } from '../detector.ts'
import { connectionFilter } from '../display-filter.ts'
import { mssOf } from '../path-context.ts'

const meta: DetectorMeta = {
  id: 'mtu-mss-too-large',
  title: 'An MSS larger than the tunnel',
  severity: 'warning',
  basis: 'RFC 9293 3.7.1, RFC 6691 2',
  message:
    '{client} announces an MSS of {mss} through {interface}, whose MTU of {tunnelMtu} holds {suggestedMss}{how}: answers of {tooLong} bytes come back to it.',
  advice:
    'Clamp the MSS of connections forwarded into {interface} to {suggestedMss}, or set the MTU of {client} to {tunnelMtu}.',
}

const MESSAGE_ABSENT =
  '{client} announces no MSS through {interface}: its peers must send no more than {defaultMss} bytes at a time, and a router cannot clamp what is not there.'

export const mtuMssTooLarge: Detector = {
  meta,
  create(context) {
    /** Connections that announced each MTU, per interface and client: the tunnel's own address shows the tunnel's MTU. */
    const announced = new Map<number, Map<string, { connections: number; mtu: number }>>()
    const { network } = context

    /** What the system says, or what most connections through the tunnel announce. */
    function tunnelMtu(interfaceId: number): { mtu: number; how: string } | undefined {
      const told = network.mtuOf(interfaceId)
      if (told !== undefined) return { mtu: told, how: '' }
      const [first, second] = [...(announced.get(interfaceId)?.values() ?? [])].sort(
        (a, b) => b.connections - a.connections,
      )
      if (first === undefined || (second !== undefined && second.connections * 2 > first.connections)) return undefined
      return { mtu: first.mtu, how: ' (by the MSS of its other connections)' }
    }

    function note(fact: FlowFact, mtu: number): void {
      const clients = announced.get(fact.interfaceId) ?? new Map<string, { connections: number; mtu: number }>()
      announced.set(fact.interfaceId, clients)
      const client = clients.get(fact.clientAddress) ?? { connections: 0, mtu: 0 }
      if (clients.size < MAX_CLIENTS) clients.set(fact.clientAddress, client)
      client.connections++
      client.mtu = Math.max(client.mtu, mtu)
    }

    return {
      flow(fact) {
        if (fact.ipProtocol !== IPPROTO_TCP || network.roleOf(fact.interfaceId) !== 'tunnel') return
        if (!fact.history.includes('S')) return
        const { name, inputName } = context.interfaceOf(fact.interfaceId)
        const mss = fact.mssToServer
        const isV6 = fact.ipVersion === 6
        const raised = {
          key: `${name} ${fact.clientAddress}`,
          timeMicros: fact.startMicros,
          interface: name,
          evidence: { source: inputName, frame: fact.frameNumber },
          filter: `${connectionFilter(name, fact)} && tcp.flags.syn == 1`,
        }
        if (mss === 0) {
          const defaultMss = isV6 ? DEFAULT_MSS_V6 : DEFAULT_MSS_V4
          const data = { client: fact.clientAddress, defaultMss }
          const told = {
            ...raised,
            key: `${raised.key} absent`,
            confidence: 'proven',
            severity: 'info',
            cause: 'absent',
          } as const
          context.raise(meta, { ...told, message: MESSAGE_ABSENT, advice: 'Nothing, if it was a port scan.', data })
          return
        }
        const mtu = mss + (isV6 ? TCP_HEADERS_V6 : TCP_HEADERS_V4)
        note(fact, mtu)
        const tunnel = tunnelMtu(fact.interfaceId)
        if (tunnel === undefined || mtu <= tunnel.mtu) return
        const data = {
          client: fact.clientAddress,
          mss,
          tunnelMtu: tunnel.mtu,
          suggestedMss: mssOf(tunnel.mtu, fact.ipVersion),
          tooLong: mtu,
          how: tunnel.how,
        }
        context.raise(meta, { ...raised, confidence: tunnel.how === '' ? 'proven' : 'probable', data })
      },
    }
  },
}

/** Clients counted per tunnel; more forward through it than anybody's laptop. */
const MAX_CLIENTS = 1024
