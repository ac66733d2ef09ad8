// What is known of each resolver on each interface, found without making text of it for every exchange.
import type { DnsExchange } from '../model/dns-facts.ts'

/** Numbers remembered; more only cost the making of their text. */
const MAX_NUMBERS = 8192

/**
 * Gives the state of the exchange's resolver. `create(key)` makes it when it is new: `key` names interface, server and
 * port. Undefined when there are `max` of them and this is another one.
 */
export function createPerResolver<T>(
  max: number,
  create: (key: string) => T,
): (exchange: DnsExchange) => T | undefined {
  /** Interfaces of several inputs may have one name: they share the state. */
  const byText = new Map<string, T>()
  const byNumber = new Map<number, T>()

  return (exchange) => {
    const number = (exchange.interfaceId * 0x4_0000 + exchange.serverId) * 0x1_0000 + exchange.serverPort
    let state = byNumber.get(number)
    if (state !== undefined) return state
    const key = `${exchange.interfaceName} ${exchange.serverAddress} ${exchange.serverPort}`
    state = byText.get(key)
    if (state === undefined) {
      if (byText.size >= max) return undefined
      state = create(key)
      byText.set(key, state)
    }
    if (byNumber.size === MAX_NUMBERS) byNumber.clear()
    byNumber.set(number, state)
    return state
  }
}
