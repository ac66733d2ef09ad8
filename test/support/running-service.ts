// A service of compiled code in this process, in a folder of its own, with one publisher.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Service, ServiceOptions } from '../../src/daemon/service.ts'
import { compiled } from './compiled.ts'

export interface RunningService {
  readonly service: Service
  readonly folder: string
  readonly socketPath: string
  readonly storePath: string
  readonly tokenPath: string
  /** `http://127.0.0.1:PORT`. */
  readonly url: string
  /** What the operator was told. */
  readonly told: string[]
  /** Ends it, once; `keep` leaves the folder for the next one. */
  stop(keep?: boolean): Promise<void>
}

/** Starts a service; `folder` continues the store of an earlier one. */
export async function runService(
  changes: Partial<ServiceOptions> = {},
  folder = mkdtempSync(join(tmpdir(), 'tunnelscope-service-')),
): Promise<RunningService> {
  const { startService } = (await import(
    compiled('src/daemon/service.ts')
  )) as typeof import('../../src/daemon/service.ts')
  const told: string[] = []
  const socketPath = join(folder, 'run', 'api.sock')
  const storePath = join(folder, 'data', 'store.db')
  const tokenPath = join(folder, 'data', 'token')
  const service = await startService({
    version: '9.9.9',
    storePath,
    socketPath,
    loopback: { host: '127.0.0.1', port: 0, tokenPath },
    interfaces: () => [],
    tell: (_, message) => told.push(message),
    onFatal: (error) => {
      throw error
    },
    ...changes,
  })
  let stopped = false
  return {
    service,
    folder,
    socketPath,
    storePath,
    tokenPath,
    url: service.addresses.find((address) => address.startsWith('http')) ?? '',
    told,
    async stop(keep = false) {
      if (!stopped) await service.close()
      stopped = true
      if (!keep) rmSync(folder, { recursive: true, force: true })
    },
  }
}
