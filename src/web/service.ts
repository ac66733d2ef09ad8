// Questions to the service over HTTP, and the platform of the stream.
import { SignedOut, type StreamPlatform } from './stream.ts'

/** The machine is here: what takes longer than this will not come. */
const ANSWER_MILLIS = 10_000

export const BROWSER: StreamPlatform = Object.freeze({
  open(path, heard, closed) {
    const socket = new WebSocket(`ws://${location.host}${path}`)
    socket.addEventListener('message', ({ data }) => heard(data))
    socket.addEventListener('close', closed)
    return () => socket.close()
  },
  ask,
  later(millis, action) {
    const timer = setTimeout(action, millis)
    return () => clearTimeout(timer)
  },
  now: () => performance.now(),
} satisfies StreamPlatform)

async function ask(path: string): Promise<unknown> {
  const response = await fetch(path, { signal: AbortSignal.timeout(ANSWER_MILLIS) })
  if (response.status === 401) throw new SignedOut()
  if (!response.ok) throw new Error(`the service answered ${response.status}`)
  return response.json()
}

/**
 * Exchanges the one-time code of the page's address for a session. The code leaves the address bar and the history before
 * it is used. False when there was a code and it was not taken.
 */
export async function signIn(): Promise<boolean> {
  const code = location.hash.slice(1)
  if (code === '') return true
  history.replaceState(null, '', location.pathname)
  try {
    const response = await fetch('/api/v1/session', { method: 'POST', body: code })
    return response.ok
  } catch {
    return false
  }
}
