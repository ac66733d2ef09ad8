// The live stream as the page follows it: it comes back by itself and goes on where it was, fetches what it was too slow for,
// and knows a dead connection by its silence. The platform is handed in.
import type { FindingsAnswer, HelloMessage, ServerMessage } from '../api/messages.ts'

export interface StreamPlatform {
  /** Opens a WebSocket: `heard` gets every frame, `closed` hears of its end. The function given back closes it. */
  open(path: string, heard: (data: unknown) => void, closed: () => void): () => void
  /** The JSON of a GET. @throws SignedOut, or any error when the service does not answer */
  ask(path: string): Promise<unknown>
  /** Calls later; the function given back calls it off. */
  later(millis: number, action: () => void): () => void
  /** Milliseconds of any clock. */
  now(): number
}

export interface StreamHandlers {
  /** A connection stands; `back` is false for the first one. */
  connected(hello: HelloMessage, back: boolean): void
  /** Findings, verdicts, epochs, figures, and what was forgotten meanwhile; never the same finding state twice. */
  message(message: ServerMessage): void
  lost(): void
  /** The service works with another store: numbers start over, this stream has ended, and a new one is to be opened. */
  replaced(): void
  /** The session has ended, and this stream with it. */
  signedOut(): void
}

export interface PageStream {
  /** Tries at once instead of in a while. */
  hurry(): void
  close(): void
}

/** The service wants to see a session. */
export class SignedOut extends Error {}

const FRAME_MESSAGES = 50
const FIRST_RETRY_MILLIS = 250
const MAX_RETRY_MILLIS = 4_000
/** Figures come every second; the machine may have been busy. */
const SILENCE_MILLIS = 15_000
const SILENCE_CHECK_MILLIS = 3_000
const PAGE_FINDINGS = 500

interface Connection {
  close(): void
  isLive: boolean
}

/** Opens the stream after number `after`. */
export function openStream(platform: StreamPlatform, after: number, handlers: StreamHandlers): PageStream {
  let seq = after
  let store: string | undefined
  let connection: Connection | undefined
  let isAsking = false
  let ended = false
  let heardAt = 0
  let retryMillis = FIRST_RETRY_MILLIS
  let callOff = () => {}
  /** Not sent to us because we were slow, and not fetched yet; kept over reconnections. */
  const gaps: { from: number; to: number }[] = []
  let isFetching = false

  /** Asks first: a refused WebSocket does not say why. */
  async function connect(): Promise<void> {
    callOff()
    isAsking = true
    try {
      await platform.ask('/api/v1/status')
    } catch (error) {
      if (ended) return
      if (error instanceof SignedOut) {
        end()
        handlers.signedOut()
      } else retry()
      return
    } finally {
      isAsking = false
    }
    if (!ended) listen()
  }

  function listen(): void {
    const opened: Connection = { isLive: false, close: () => {} }
    connection = opened
    heardAt = platform.now()
    opened.close = platform.open(
      `/api/v1/stream?after=${seq}&batch=${FRAME_MESSAGES}`,
      (data) => {
        if (connection !== opened) return
        heardAt = platform.now()
        for (const message of messagesOf(data)) if (connection === opened) receive(message, opened)
      },
      () => {
        if (connection === opened) drop()
      },
    )
    checkSilence()
  }

  function checkSilence(): void {
    callOff = platform.later(SILENCE_CHECK_MILLIS, () => {
      if (platform.now() - heardAt > SILENCE_MILLIS) drop()
      else checkSilence()
    })
  }

  function drop(): void {
    const wasLive = connection?.isLive === true
    leave()
    if (wasLive) handlers.lost()
    retry()
  }

  /** Nothing more is heard of the connection. */
  function leave(): void {
    callOff()
    const left = connection
    connection = undefined
    left?.close()
  }

  function retry(): void {
    callOff = platform.later(retryMillis, () => void connect())
    retryMillis = Math.min(retryMillis * 2, MAX_RETRY_MILLIS)
  }

  function receive(message: ServerMessage, from: Connection): void {
    if (message.type === 'hello') {
      greet(message, from)
      return
    }
    if (message.type === 'finding' || message.type === 'verdict' || message.type === 'epoch') {
      seq = Math.max(seq, message.seq)
    } else if (message.type === 'gap' && message.reason === 'slow') {
      gaps.push({ from: message.from, to: message.to })
      void fetchGaps()
      return
    }
    handlers.message(message)
  }

  function greet(hello: HelloMessage, from: Connection): void {
    // A number that this store never gave is another one's as well.
    if (hello.store !== (store ?? hello.store) || hello.seq < seq) {
      end()
      handlers.replaced()
      return
    }
    const back = store !== undefined
    store = hello.store
    retryMillis = FIRST_RETRY_MILLIS
    from.isLive = true
    handlers.connected(hello, back)
    void fetchGaps()
  }

  async function fetchGaps(): Promise<void> {
    if (isFetching) return
    isFetching = true
    try {
      while (gaps.length > 0 && !ended) {
        const gap = gaps[0]!
        const query = `after=${gap.from - 1}&upTo=${gap.to}&limit=${PAGE_FINDINGS}`
        const page = (await platform.ask(`/api/v1/findings?${query}`)) as FindingsAnswer
        if (ended) return
        for (const found of page.findings) handlers.message({ type: 'finding', ...found })
        if (page.more) gap.from = page.findings.at(-1)!.seq + 1
        else gaps.shift()
      }
    } catch {
      // Tried again with the next gap and the next connection.
    }
    isFetching = false
  }

  function end(): void {
    ended = true
    leave()
  }

  void connect()
  return {
    hurry() {
      if (ended || isAsking || connection !== undefined) return
      retryMillis = FIRST_RETRY_MILLIS
      void connect()
    },
    close: end,
  }
}

/** The messages of a frame; none when it is no JSON. Kinds of a later version are for nobody. */
function messagesOf(data: unknown): ServerMessage[] {
  try {
    return [JSON.parse(String(data)) as ServerMessage | ServerMessage[]].flat()
  } catch {
    return []
  }
}
