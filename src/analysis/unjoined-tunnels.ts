// Interfaces that are tunnels by what is known of them without their packets, and that the join knows nothing of yet.
import type { CaptureInterface } from '../model/capture-interface.ts'
import { decideRoles, type RoleOptions } from './roles.ts'
import type { NetworkHistory } from './trackers/network-history.ts'
import type { TunnelJoinTracker } from './trackers/tunnel-join.ts'

/** Cheap when called often: the same array until something of it changes. */
export function createUnjoinedTunnels(
  interfaces: readonly CaptureInterface[],
  options: RoleOptions,
  network: Pick<NetworkHistory, 'version' | 'role'>,
  join: Pick<TunnelJoinTracker, 'count' | 'isJoined'>,
): () => readonly number[] {
  let ids: readonly number[] = []
  let interfaceCount = 0
  let version = -1
  let joinCount = 0
  return () => {
    if (interfaceCount === interfaces.length && version === network.version && joinCount === join.count()) return ids
    interfaceCount = interfaces.length
    version = network.version
    joinCount = join.count()
    const roles = interfaceCount < 2 ? [] : decideRoles(interfaces, options, () => undefined, network.role)
    ids = interfaces.map((one) => one.id).filter((id) => roles[id]?.role === 'tunnel' && !join.isJoined(id))
    return ids
  }
}
