// Packets that we send ourselves, which only `check` does: it says of them what they are before they leave.

export interface OwnProbes {
  /** The site that a question or connection from that local port to that address is about; undefined when it is not ours. */
  siteOf(clientPort: number, serverAddress: string): string | undefined
}

/** The local port and the server of one of them. */
export interface ProbeEnds {
  readonly clientPort: number
  readonly serverAddress: string
}
