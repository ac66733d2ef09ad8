// Who sends inside a tunnel, by a hash of the address, and what became of it.

export interface Sender {
  readonly hash: number
  /** Packets that left as an outer one, that came as one, and that entered and never left. */
  left: number
  arrived: number
  lost: number
}

/** Index + 1 of the new sender. */
export function addSender(senders: Sender[], hash: number): number {
  return senders.push({ hash, left: 0, arrived: 0, lost: 0 })
}
