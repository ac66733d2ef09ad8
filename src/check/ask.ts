// Asking one resolver one question over one interface: UDP, again when it stays silent, TCP when the answer does not fit.
// Whatever comes back, it ends in time and holds one answer.
import { randomInt } from 'node:crypto'
import { DNS_TIMEOUT_MICROS } from '../constants/limits.ts'
import type { CheckResolver } from '../model/check.ts'
import type { IpFamily } from '../model/network-context.ts'
import { OperatorError } from '../model/operator-error.ts'
import type { ProbeEnds } from '../model/own-probes.ts'
import { type BoundSockets, scoped } from './bound-sockets.ts'
import { type DnsAnswerText, type DnsQuestionText, encodeQuestion, readAnswer } from './dns-question.ts'

/** What came of a question. */
export interface Asked {
  readonly resolver: CheckResolver
  readonly family: IpFamily
  /** Each socket it was asked from. */
  readonly ends: readonly ProbeEnds[]
  /** Of the answer; absent without one. */
  readonly answer?: DnsAnswerText
  /** The middle of the times it took. */
  readonly latencyMs?: number
  /** Why there is no answer, in words, and the system's code of it. */
  readonly fault?: string
  readonly code?: string
}

/** It is asked again after these (RFC 1035 4.2.1: two seconds and more is for those who ask many). */
const REPEAT_MILLIS: readonly number[] = [1000, 3000]
/** As long as the analysis waits before it calls a question unanswered, and a moment more. */
const PATIENCE_MILLIS = DNS_TIMEOUT_MICROS / 1000 + 200
/** A first answer that took longer may have been fetched from afar; two more say what the resolver is like. */
const SLOW_MILLIS = 150
const SLOWEST_MILLIS = 2000
const MORE_TIMES = 2

/** One try. */
interface Tried {
  ends: ProbeEnds[]
  answer?: DnsAnswerText
  latencyMs?: number
  fault?: string
  code?: string
}

/** Never throws but for bugs. */
export async function ask(
  sockets: BoundSockets,
  resolver: CheckResolver,
  name: string,
  family: IpFamily,
  signal: AbortSignal,
): Promise<Asked> {
  const first = await askOnce(sockets, resolver, name, family, signal)
  const ends = [...first.ends]
  const latencies = first.latencyMs === undefined ? [] : [first.latencyMs]
  const isSlow = first.latencyMs !== undefined && first.latencyMs > SLOW_MILLIS && first.latencyMs < SLOWEST_MILLIS
  for (let more = isSlow ? MORE_TIMES : 0; more > 0 && !signal.aborted; more--) {
    const again = await askOnce(sockets, resolver, name, family, signal)
    ends.push(...again.ends)
    if (again.latencyMs !== undefined) latencies.push(again.latencyMs)
  }
  const middle = latencies.sort((a, b) => a - b)[latencies.length >> 1]
  return {
    resolver,
    family,
    ends,
    ...(first.answer === undefined ? {} : { answer: first.answer }),
    ...(middle === undefined ? {} : { latencyMs: middle }),
    ...(first.fault === undefined ? {} : { fault: signal.aborted ? 'interrupted' : first.fault }),
    ...(first.code === undefined ? {} : { code: first.code }),
  }
}

async function askOnce(
  sockets: BoundSockets,
  resolver: CheckResolver,
  name: string,
  family: IpFamily,
  signal: AbortSignal,
): Promise<Tried> {
  const question: DnsQuestionText = { id: randomInt(0x1_0000), name, family }
  const deadline = AbortSignal.any([signal, AbortSignal.timeout(PATIENCE_MILLIS)])
  try {
    const tried = await askUdp(sockets, resolver, question, deadline)
    if (tried.answer?.isTruncated !== true) return tried
    const overTcp = await askTcp(sockets, resolver, question, deadline)
    const ends = [...tried.ends, ...overTcp.ends]
    // What fitted is better than nothing.
    return overTcp.answer === undefined ? { ...tried, ends } : { ...overTcp, ends }
  } catch (error) {
    if (error instanceof OperatorError && error.code === 'bind-refused') return { ends: [], fault: error.message }
    throw error
  }
}

function askUdp(
  sockets: BoundSockets,
  { address, port, over }: CheckResolver,
  question: DnsQuestionText,
  deadline: AbortSignal,
): Promise<Tried> {
  const { socket, ends } = sockets.openUdp(over, address)
  const query = encodeQuestion(question)
  return new Promise((resolve) => {
    const started = performance.now()
    let isOver = false
    const finish = (outcome: Omit<Tried, 'ends'>) => {
      if (isOver) return
      isOver = true
      for (const timer of repeats) clearTimeout(timer)
      deadline.removeEventListener('abort', giveUp)
      socket.close()
      resolve({ ends: [ends], ...outcome })
    }
    const giveUp = () => finish({ fault: 'no answer' })
    const send = () => {
      if (!isOver) socket.send(query, (error) => error !== null && finish(faultOf(error)))
    }
    const repeats = REPEAT_MILLIS.map((millis) => setTimeout(send, millis))
    socket.on('error', (error) => finish(faultOf(error)))
    socket.on('message', (bytes) => {
      // Somebody else's words are passed over: the right ones may still come (RFC 5452 9.1).
      const answer = readAnswer(bytes, question)
      if (answer !== undefined) finish({ answer, latencyMs: performance.now() - started })
    })
    deadline.addEventListener('abort', giveUp, { once: true })
    if (deadline.aborted) giveUp()
    // Connected, the kernel hands on what comes from there and nothing else, and tells of a port where nobody listens.
    else {
      // Where a rule forbids it or no route leads there, it is not connected: this is told instead of an 'error'.
      socket.connect(port, scoped(address, over), (error?: Error) => {
        if (error === undefined) send()
        else finish(faultOf(error))
      })
    }
  })
}

function askTcp(
  sockets: BoundSockets,
  { address, port, over }: CheckResolver,
  question: DnsQuestionText,
  deadline: AbortSignal,
): Promise<Tried> {
  const { socket, ends } = sockets.openTcp(over, address)
  const query = encodeQuestion(question)
  return new Promise((resolve) => {
    const started = performance.now()
    /** RFC 7766 8: two bytes of length, and at most so much behind them. */
    const held = Buffer.alloc(2 + 0xffff)
    let heldLen = 0
    const finish = (outcome: Omit<Tried, 'ends'>) => {
      deadline.removeEventListener('abort', giveUp)
      socket.destroy()
      resolve({ ends: [ends], ...outcome })
    }
    const giveUp = () => finish({ fault: 'no answer over TCP' })
    socket.on('error', (error) => finish(faultOf(error)))
    socket.on('end', () => finish({ fault: 'the answer over TCP broke off' }))
    socket.on('data', (part: Buffer) => {
      heldLen += part.copy(held, heldLen)
      const endAt = heldLen < 2 ? Number.POSITIVE_INFINITY : 2 + held.readUInt16BE(0)
      if (heldLen < endAt) return
      const answer = readAnswer(held.subarray(2, endAt), question)
      if (answer === undefined) finish({ fault: 'the answer over TCP is to something else' })
      else finish({ answer, latencyMs: performance.now() - started })
    })
    deadline.addEventListener('abort', giveUp, { once: true })
    if (deadline.aborted) giveUp()
    else {
      socket.connect({ port, host: scoped(address, over) }, () => {
        const framed = Buffer.alloc(2 + query.length)
        framed.writeUInt16BE(query.length)
        framed.set(query, 2)
        socket.write(framed)
      })
    }
  })
}

const NO_ROUTE = 'no route leads there'

const FAULTS: Readonly<Record<string, string>> = Object.freeze({
  ECONNREFUSED: 'nobody listens there',
  EPERM: 'this machine’s firewall refuses it',
  EACCES: 'this machine’s firewall refuses it',
  ENETUNREACH: NO_ROUTE,
  EHOSTUNREACH: NO_ROUTE,
  EADDRNOTAVAIL: NO_ROUTE,
})

function faultOf(error: Error): { fault: string; code?: string } {
  const { code } = error as NodeJS.ErrnoException
  return code === undefined ? { fault: error.message } : { fault: FAULTS[code] ?? code, code }
}
