// Cold path. EVE's `tx_id`: Suricata takes each DNS message for a transaction of its own, numbered from 0 in its flow.

/** Flows that are remembered; the oldest is forgotten first and would count from 0 again. */
const MAX_FLOWS = 65_536

export class DnsTransactionIds {
  readonly #next = new Map<number, number>()

  /** The number of the next message on the flow. */
  take(flow: number): number {
    const number = this.#next.get(flow) ?? 0
    this.#next.set(flow, number + 1)
    // A Map keeps the order in which its keys were added.
    if (this.#next.size > MAX_FLOWS) this.#next.delete(this.#next.keys().next().value!)
    return number
  }
}
