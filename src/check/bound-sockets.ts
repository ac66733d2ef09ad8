// Sockets that leave by one interface, taken over from the addon, and the list of all that were opened: by it the analysis
// knows our packets from everybody else's (rules.md X9).

import { createSocket, type Socket as UdpSocket } from 'node:dgram'
import { closeSync } from 'node:fs'
import { Socket as TcpSocket } from 'node:net'
import { openBoundSocket } from '../capture/native-addon.ts'
import type { OwnProbes, ProbeEnds } from '../model/own-probes.ts'

export interface Opened<S> {
  readonly socket: S
  readonly ends: ProbeEnds
}

export class BoundSockets implements OwnProbes {
  readonly #site: string
  /** `PORT ADDRESS` of each. */
  readonly #opened = new Set<string>()
  readonly #ports = new Set<number>()

  /** `site`: what all of them are about. */
  constructor(site: string) {
    this.#site = site
  }

  siteOf(clientPort: number, serverAddress: string): string | undefined {
    return this.#opened.has(`${clientPort} ${serverAddress}`) ? this.#site : undefined
  }

  /** One of ours has, or had, that local port. */
  isOurs(clientPort: number): boolean {
    return this.#ports.has(clientPort)
  }

  /** Not connected yet; `connect()` is to be called in this turn of the event loop. @throws OperatorError as openBoundSocket */
  openTcp(interfaceName: string, address: string): Opened<TcpSocket> {
    const { fd, port } = openBoundSocket({ stream: true, ipv6: address.includes(':'), interfaceName })
    return this.#taken(fd, port, address, () => new TcpSocket({ fd }))
  }

  /** Bound, and closed by the caller. @throws OperatorError as openBoundSocket */
  openUdp(interfaceName: string, address: string): Opened<UdpSocket> {
    const isV6 = address.includes(':')
    const { fd, port } = openBoundSocket({ stream: false, ipv6: isV6, interfaceName })
    return this.#taken(fd, port, address, () => {
      const socket = createSocket({ type: isV6 ? 'udp6' : 'udp4' })
      try {
        socket.bind({ fd })
      } catch (error) {
        socket.close()
        throw error
      }
      return socket
    })
  }

  /** From `take` on the descriptor is the socket's; when that fails it is nobody's. */
  #taken<S>(fd: number, port: number, serverAddress: string, take: () => S): Opened<S> {
    try {
      const socket = take()
      this.#opened.add(`${port} ${serverAddress}`)
      this.#ports.add(port)
      return { socket, ends: { clientPort: port, serverAddress } }
    } catch (error) {
      closeSync(fd)
      throw error
    }
  }
}

/** The address as a socket wants it: one of the link needs its interface (RFC 4007 11). */
export function scoped(address: string, interfaceName: string): string {
  return /^fe[89ab]/i.test(address) ? `${address}%${interfaceName}` : address
}
