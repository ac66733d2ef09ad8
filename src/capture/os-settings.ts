// Settings of the operating system that decide how it copes with narrow paths.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TcpMtuProbing } from '../model/network-context.ts'

/**
 * Linux, ip-sysctl: 0 TCP never looks for a size that passes, 1 after a black hole, 2 always. Undefined where the system
 * has no such setting or does not show it. `root` is '' but in tests.
 */
export function readTcpMtuProbing(root = ''): TcpMtuProbing | undefined {
  try {
    const text = readFileSync(join(root, '/proc/sys/net/ipv4/tcp_mtu_probing'), 'latin1').trim()
    return tcpMtuProbingOf(text === '' ? undefined : Number(text))
  } catch {
    return undefined
  }
}

/** The setting, when it is one. */
export function tcpMtuProbingOf(value: unknown): TcpMtuProbing | undefined {
  return value === 0 || value === 1 || value === 2 ? value : undefined
}
