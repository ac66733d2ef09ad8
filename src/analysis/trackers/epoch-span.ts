// A span of time with one network context, and a time in which one VPN server was talked to.

/** State of the tunnel at one moment. */
export type TunnelState =
  /** No tunnel before or after: nothing is promised. */
  | 'none'
  | 'up'
  /** Lost and wanted back: between two spans of one connected time. */
  | 'lost'

/** A span with one network context. `endMicros` is the last moment known while it lasts. */
export interface EpochSpan {
  id: number
  startMicros: number
  endMicros: number
  reason: string
  state: TunnelState
  tunnelInterfaces: string[]
  /** Set while it lasts; a capture's last epoch ends with the capture. */
  isOpen?: boolean
  /** The VPN server that carried the tunnel, where the packets tell; otherwise absent. */
  endpoint?: EndpointSpan
  /** What the system told of it. */
  details?: EpochDetails
}

/** The network of an epoch as the kernel and the system tell it. */
export interface EpochDetails {
  /** The way out below the tunnel. */
  egressInterface: string | undefined
  /** Where public addresses leave, per family: `IPv4 wg0 full`. */
  ways: string[]
  ipv6InTunnel: boolean
  /** The smallest of the tunnels that are up. */
  tunnelMtu: number | undefined
  /** That the system is told to use. */
  resolvers: string[]
  /** VPN servers that routes give away. */
  endpoints: string[]
}

/** A time in which one VPN server was talked to. */
export interface EndpointSpan {
  /** `203.0.113.10:51820`, without a port for protocols that have none. */
  server: string
  transport: string
  startMicros: number
  endMicros: number
  packets: number
}
