// Cold path. Numbers the DNS transactions of each flow from 0, as EVE's `tx_id` does: a response has its request's number.

/** Flows and open requests of one flow that are remembered; older ones are forgotten first. */
const MAX_FLOWS = 16_384
const MAX_OPEN = 256

export class DnsTransactionIds {
  readonly #flows = new Map<number, { next: number; open: Map<number, number> }>()

  /** The number of the message with `id` on the flow; a response nobody asked for gets a number of its own. */
  numberOf(flow: number, id: number, response: boolean): number {
    let state = this.#flows.get(flow)
    if (state === undefined) {
      state = { next: 0, open: new Map() }
      this.#flows.set(flow, state)
      dropOldest(this.#flows, MAX_FLOWS)
    }
    const asked = state.open.get(id)
    if (response && asked !== undefined) {
      state.open.delete(id)
      return asked
    }
    const number = state.next++
    if (!response) {
      state.open.delete(id)
      state.open.set(id, number)
      dropOldest(state.open, MAX_OPEN)
    }
    return number
  }
}

/** A Map keeps the order in which its keys were added. */
function dropOldest(map: Map<number, unknown>, limit: number): void {
  if (map.size > limit) map.delete(map.keys().next().value!)
}
