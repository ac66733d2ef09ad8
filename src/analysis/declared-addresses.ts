// Addresses that an interface has by what is said of it: by the capture file, or live by the kernel.
import type { CaptureInterface } from '../model/capture-interface.ts'
import { parseAddress } from '../text/address.ts'
import type { AddressTable } from './trackers/addresses.ts'
import type { NetworkHistory } from './trackers/network-history.ts'

/** Ids of the declared addresses, by interface. */
export function createDeclaredAddresses(
  interfaces: readonly CaptureInterface[],
  network: Pick<NetworkHistory, 'addresses'>,
  addresses: AddressTable,
): (interfaceId: number) => number[] {
  const words = new Uint32Array(4)
  return (interfaceId) => {
    const { name, addresses: declared = [] } = interfaces[interfaceId] ?? {}
    const told = name === undefined ? [] : network.addresses(name)
    return [...declared, ...told].flatMap((text) => {
      const parsed = parseAddress(text.replace(/\/.*$/, ''))
      if (parsed === undefined) return []
      words.set(parsed)
      return [addresses.intern(words, 0)]
    })
  }
}
