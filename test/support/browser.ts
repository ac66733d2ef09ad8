// A browser for tests of the page: Chromium without a window, spoken to over its DevTools protocol.
import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import WebSocket from 'ws'

export interface Tab {
  /** What the browser complained of: exceptions, refused loads, violations of the page's policy. */
  readonly complaints: readonly string[]
  open(url: string): Promise<void>
  /** The value of an expression, awaited. */
  value<Value>(expression: string): Promise<Value>
  /** Waits until an expression is true. */
  until(expression: string, what?: string): Promise<void>
  press(key: string, times?: number): Promise<void>
  type(text: string): Promise<void>
  command(method: string, parameters: object): Promise<unknown>
}

export interface Browser {
  /** A tab with cookies of its own. */
  tab(): Promise<Tab>
  close(): Promise<void>
}

/** The browser's program; undefined where there is none. */
export function findBrowser(): string | undefined {
  return ['chromium', 'chromium-browser', 'google-chrome'].find(
    (name) => spawnSync('sh', ['-c', `command -v ${name}`]).status === 0,
  )
}

const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
  '--remote-debugging-port=0',
]
const START_MS = 30_000
const WAIT_MS = 15_000
const KEY_CODES: Readonly<Record<string, number>> = Object.freeze({ Tab: 9, Enter: 13, ' ': 32 })

export async function openBrowser(program: string): Promise<Browser> {
  const folder = mkdtempSync(join(tmpdir(), 'tunnelscope-browser-'))
  const child = spawn(program, [...FLAGS, `--user-data-dir=${folder}`, 'about:blank'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  })
  const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const protocol = await connect(await addressOf(child))
  return {
    tab: () => openTab(protocol),
    async close() {
      await protocol.send('Browser.close')
      await gone
      protocol.close()
      // Its children write for a moment after it has gone.
      rmSync(folder, { recursive: true, force: true, maxRetries: 20, retryDelay: 100 })
    },
  }
}

function addressOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let said = ''
    const timer = setTimeout(() => reject(new Error(`the browser did not start: ${said}`)), START_MS)
    child.stderr!.on('data', (part) => {
      said += part
      const address = /DevTools listening on (ws:\S+)/.exec(said)?.[1]
      if (address === undefined) return
      clearTimeout(timer)
      resolve(address)
    })
    child.once('error', reject)
    child.once('exit', () => reject(new Error(`the browser ended: ${said}`)))
  })
}

interface ProtocolEvent {
  readonly sessionId?: string
  readonly method: string
  // biome-ignore lint/suspicious/noExplicitAny: the protocol's own shapes
  readonly params: any
}

interface Protocol {
  // biome-ignore lint/suspicious/noExplicitAny: the protocol's own shapes
  send(method: string, params?: object, sessionId?: string): Promise<any>
  listen(listener: (event: ProtocolEvent) => void): void
  close(): void
}

async function connect(address: string): Promise<Protocol> {
  const socket = new WebSocket(address, { perMessageDeflate: false })
  const waiting = new Map<number, { resolve(result: unknown): void; reject(error: Error): void }>()
  const listeners: ((event: ProtocolEvent) => void)[] = []
  let last = 0
  socket.on('message', (data) => {
    const message = JSON.parse(String(data)) as { id?: number; error?: object; result?: unknown } & ProtocolEvent
    if (message.id === undefined) {
      for (const listener of listeners) listener(message)
      return
    }
    const asked = waiting.get(message.id)
    waiting.delete(message.id)
    if (message.error === undefined) asked?.resolve(message.result)
    else asked?.reject(new Error(JSON.stringify(message.error)))
  })
  await new Promise((resolve, reject) => {
    socket.once('open', resolve)
    socket.once('error', reject)
  })
  return {
    send: (method, params = {}, sessionId) =>
      new Promise((resolve, reject) => {
        waiting.set(++last, { resolve, reject })
        socket.send(JSON.stringify({ id: last, method, params, sessionId }))
      }),
    listen: (listener) => listeners.push(listener),
    close: () => socket.close(),
  }
}

async function openTab(protocol: Protocol): Promise<Tab> {
  const { browserContextId } = await protocol.send('Target.createBrowserContext')
  const { targetId } = await protocol.send('Target.createTarget', { url: 'about:blank', browserContextId })
  const { sessionId } = await protocol.send('Target.attachToTarget', { targetId, flatten: true })
  const command = (method: string, parameters: object = {}) => protocol.send(method, parameters, sessionId)
  const complaints: string[] = []
  protocol.listen(({ sessionId: of, method, params }) => {
    if (of !== sessionId) return
    if (method === 'Runtime.exceptionThrown') {
      complaints.push(params.exceptionDetails.exception?.description ?? params.exceptionDetails.text)
    }
    if (method === 'Log.entryAdded') complaints.push(`${params.entry.text} ${params.entry.url ?? ''}`)
  })
  for (const domain of ['Page', 'Runtime', 'Log']) await command(`${domain}.enable`)

  async function value<Value>(expression: string): Promise<Value> {
    const { result, exceptionDetails } = await command('Runtime.evaluate', {
      expression,
      awaitPromise: true,
      returnByValue: true,
    })
    if (exceptionDetails !== undefined)
      throw new Error(exceptionDetails.exception?.description ?? exceptionDetails.text)
    return result.value as Value
  }

  return {
    complaints,
    command,
    value,
    open: async (url) => void (await command('Page.navigate', { url })),
    async until(expression, what = expression) {
      const end = Date.now() + WAIT_MS
      while (!(await value<boolean>(`Boolean(${expression})`))) {
        if (Date.now() > end) throw new Error(`not within ${WAIT_MS} ms: ${what}`)
        await new Promise((resolve) => setTimeout(resolve, 50))
      }
    },
    async press(key, times = 1) {
      const text = key === 'Enter' ? '\r' : key === ' ' ? ' ' : undefined
      for (let count = 0; count < times; count++) {
        const base = { key, code: key === ' ' ? 'Space' : key, windowsVirtualKeyCode: KEY_CODES[key] ?? 0 }
        await command('Input.dispatchKeyEvent', { type: 'keyDown', ...base, ...(text !== undefined && { text }) })
        await command('Input.dispatchKeyEvent', { type: 'keyUp', ...base })
      }
    },
    type: async (text) => void (await command('Input.insertText', { text })),
  }
}
