// What a service manager is told (sd_notify(3)): ready, reloading, stopping, one status line, and that we are alive. Does
// nothing when nobody asked.
import { loadAddon } from '../capture/native-addon.ts'

export interface ServiceManager {
  /** Clients can come, packets are seen. */
  ready(status: string): void
  status(text: string): void
  /** Between SIGHUP and the next ready(). */
  reloading(): void
  stopping(): void
  /**
   * Called for every sign of life of the capturing thread, once a second: feeds the watchdog. A thread that hangs gives
   * none, and the manager starts us again.
   */
  alive(): void
}

/** `env` holds NOTIFY_SOCKET and WATCHDOG_USEC when a manager listens. Never throws: a manager that is gone is no reason to end. */
export function createServiceManager(env: NodeJS.ProcessEnv = process.env): ServiceManager {
  const socket = env.NOTIFY_SOCKET
  const tell = (message: string): void => {
    if (socket === undefined || socket === '' || process.platform !== 'linux') return
    loadAddon().notifyService(socket, message)
  }
  const isWatched = env.WATCHDOG_USEC !== undefined && (env.WATCHDOG_PID ?? String(process.pid)) === String(process.pid)
  return {
    ready: (status) => tell(`READY=1\nSTATUS=${oneLine(status)}`),
    status: (text) => tell(`STATUS=${oneLine(text)}`),
    reloading: () => tell('RELOADING=1'),
    stopping: () => tell('STOPPING=1'),
    alive() {
      if (isWatched) tell('WATCHDOG=1')
    },
  }
}

function oneLine(text: string): string {
  return text.replaceAll('\n', ' ')
}
