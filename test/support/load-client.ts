// Readers of a load test in a process of their own. Arguments: socket path, how many, how many of them never read, and how
// many more stop reading when told `pause`, until `go on`. `refetch`: who was told a gap asks for it. `report`: one JSON
// line, per reader the findings received, those twice, the gaps, and what of them came afterwards.
// It reads frames itself: a client's library would take most of the machine that the service is measured on.
import { randomBytes } from 'node:crypto'
import { connect, type Socket } from 'node:net'

const [socketPath, countText, deafText, slowText] = process.argv.slice(2) as [string, string, string, string]
const count = Number(countText)
const deaf = Number(deafText)
const slow = Number(slowText ?? 0)

const MESSAGE = Buffer.from('{"type":"')
const LETTER_F = 'f'.charCodeAt(0)
const LETTER_G = 'g'.charCodeAt(0)
const SEQ_AFTER_FINDING = '{"type":"finding","seq":'.length
/** Opcodes, RFC 6455 11.8. */
const TEXT = 1
const PING = 9
const PONG = 10
/** One piece of memory for what all sockets read: each is done with it before the next one reads. */
const READ_BUFFER = Buffer.allocUnsafe(256 << 10)

class Reader {
  received = 0
  twice = 0
  gaps: { from: number; to: number; count: number }[] = []
  refetched = 0
  closed = false
  readonly socket: Socket
  #lastSeq = 0
  #isOpen = false
  #head = ''
  /** Of the frame that is being read: its head, and then its payload. */
  #frame: Buffer = Buffer.allocUnsafe(1 << 20)
  #have = 0

  constructor(readsNothing: boolean) {
    this.socket = connect({
      path: socketPath,
      onread: {
        buffer: READ_BUFFER,
        callback: (length: number, buffer: Buffer) => {
          this.#read(buffer, length)
          return true
        },
      },
    } as never)
    this.socket.on('connect', () => {
      this.socket.write(
        `GET /api/v1/stream?after=0&batch=200 HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
          `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: ${randomBytes(16).toString('base64')}\r\n\r\n`,
      )
      if (readsNothing) this.socket.pause()
    })
    this.socket.on('close', () => {
      this.closed = true
    })
    this.socket.on('error', () => {})
  }

  /** A message of ours: less than 126 bytes, masked with zeros. */
  say(text: string): void {
    this.#send(0x80 | TEXT, Buffer.from(text))
  }

  #send(head: number, payload: Buffer): void {
    this.socket.write(Buffer.concat([Buffer.from([head, 0x80 | payload.length, 0, 0, 0, 0]), payload]))
  }

  #read(chunk: Buffer, length: number): void {
    let at = 0
    if (!this.#isOpen) {
      const text = this.#head + chunk.toString('latin1', 0, length)
      const end = text.indexOf('\r\n\r\n')
      if (end < 0) {
        this.#head = text
        return
      }
      at = end + 4 - this.#head.length
      this.#isOpen = true
    }
    while (at < length) {
      const whole = this.#frameLen()
      const wanted = whole === 0 ? 1 : whole - this.#have
      const part = Math.min(wanted, length - at)
      if (this.#have + part > this.#frame.length) {
        const wider = Buffer.allocUnsafe(Math.max(whole, this.#frame.length * 2))
        this.#frame.copy(wider, 0, 0, this.#have)
        this.#frame = wider
      }
      chunk.copy(this.#frame, this.#have, at, at + part)
      this.#have += part
      at += part
      if (this.#have === this.#frameLen()) {
        this.#take()
        this.#have = 0
      }
    }
  }

  /** RFC 6455 5.2: all of the frame; 0 while its head is not complete. */
  #frameLen(): number {
    if (this.#have < 2) return 0
    const short = this.#frame[1]! & 0x7f
    if (short < 126) return 2 + short
    if (short === 126) return this.#have < 4 ? 0 : 4 + this.#frame.readUInt16BE(2)
    return this.#have < 10 ? 0 : 10 + Number(this.#frame.readBigUInt64BE(2))
  }

  #take(): void {
    const opcode = this.#frame[0]! & 0x0f
    const frame = this.#frame.subarray(0, this.#have)
    if (opcode === PING) this.#send(0x80 | PONG, Buffer.from(frame.subarray(2)))
    if (opcode !== TEXT) return
    for (let at = frame.indexOf(MESSAGE); at >= 0; at = frame.indexOf(MESSAGE, at + SEQ_AFTER_FINDING)) {
      const letter = frame[at + MESSAGE.length]
      if (letter === LETTER_F) this.#finding(frame, at + SEQ_AFTER_FINDING)
      else if (letter === LETTER_G) {
        const { from, to, count } = JSON.parse(frame.toString('utf8', at, frame.indexOf('}', at) + 1))
        this.gaps.push({ from, to, count })
      }
    }
  }

  #finding(frame: Buffer, at: number): void {
    let seq = 0
    for (let i = at; frame[i]! >= 48 && frame[i]! <= 57; i++) seq = seq * 10 + frame[i]! - 48
    if (seq > this.#lastSeq) {
      this.received++
      this.#lastSeq = seq
    } else if (this.gaps.some(({ from, to }) => seq >= from && seq <= to)) this.refetched++
    else this.twice++
  }
}

const readers = Array.from({ length: count }, (_, index) => new Reader(index < deaf))
const slowReaders = readers.slice(deaf, deaf + slow)

process.stdout.write('ready\n')
process.stdin.setEncoding('utf8').on('data', (word: string) => {
  switch (word.trim()) {
    case 'pause':
      for (const { socket } of slowReaders) socket.pause()
      break
    case 'go on':
      for (const { socket } of slowReaders) socket.resume()
      break
    case 'refetch':
      for (const reader of readers) {
        if (reader.gaps.length > 0) reader.say(`{"type":"resume","after":${reader.gaps[0]!.from - 1}}`)
      }
      break
    case 'report':
      process.stdout.write(
        `${JSON.stringify(readers.map(({ received, twice, gaps, refetched, closed }) => ({ received, twice, gaps, refetched, closed })))}\n`,
      )
      break
    default:
      process.exit(0)
  }
})
