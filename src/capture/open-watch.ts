// Who follows the network on this platform.
import { ContextWatch, type NetworkWatch } from './context-watch.ts'
import { PortableWatch, platformReader } from './portable-watch.ts'

/** @throws OperatorError `network-watch`, `addon-missing` where the kernel tells it and cannot be asked */
export function openNetworkWatch(): NetworkWatch {
  const reader = platformReader()
  return reader === undefined ? new ContextWatch() : new PortableWatch(reader)
}
