// Bytes in order, whatever they come from: a file, a pipe, standard input, a decompressor.
import { accessSync, closeSync, constants, fstatSync, open, openSync, readSync, type Stats, statSync } from 'node:fs'
import { Socket } from 'node:net'
import { promisify } from 'node:util'
import { OperatorError } from '../model/operator-error.ts'

export interface ByteInput {
  /**
   * Writes 1 … len bytes into `target` from `at` and returns how many; 0 = the end. A number when they were there at
   * once, a promise when one has to wait. `target` is not kept.
   * @throws InputFault when there are bytes but they cannot be had (a damaged archive, a disk error).
   */
  read(target: Uint8Array, at: number, len: number): number | Promise<number>
  close(): void
  /** Bytes there are, where that is known beforehand: of a file, which may still grow. */
  readonly byteLen?: number
}

/** The bytes stop here, with the reason to tell; what was read before is good. */
export class InputFault extends Error {}

const openLater = promisify(open)

/** At once, but for a named pipe: opening that one waits for its writer. */
function openDescriptor(path: string): number | Promise<number> {
  return statSync(path).isFIFO() ? openLater(path, 'r') : openSync(path, 'r')
}

/**
 * Opens a path, or standard input for `-`.
 * @throws OperatorError `input-missing`, `input-denied`, `input-directory`, `input-terminal`, `input-unreadable`,
 * `input-too-many`.
 */
export async function openByteInput(path: string): Promise<ByteInput> {
  try {
    const fd = path === '-' ? 0 : await openDescriptor(path)
    const stats = fstatSync(fd)
    if (stats.isDirectory()) {
      closeSync(fd)
      throw Object.assign(new Error('a directory'), { code: 'EISDIR' })
    }
    return inputOf(fd, path, stats)
  } catch (error) {
    throw error instanceof OperatorError ? error : openError(path, error as NodeJS.ErrnoException)
  }
}

/**
 * Looks whether every path can be opened, before any work is done.
 * @throws OperatorError as openByteInput, and `input-repeated` when `-` stands twice.
 */
export function checkInputs(paths: readonly string[]): void {
  if (paths.length === 0) throw new OperatorError('input-none', 'No capture was named; give one or more files, or - .')
  if (paths.indexOf('-') !== paths.lastIndexOf('-')) {
    throw new OperatorError('input-repeated', 'Standard input (-) can be read once; name it once.')
  }
  for (const path of paths) {
    if (path === '-') continue
    try {
      if (statSync(path).isDirectory()) throw Object.assign(new Error('a directory'), { code: 'EISDIR' })
      accessSync(path, constants.R_OK)
    } catch (error) {
      throw openError(path, error as NodeJS.ErrnoException)
    }
  }
}

function inputOf(fd: number, path: string, stats: Stats): ByteInput {
  if (stats.isFIFO() || stats.isSocket()) return new StreamInput(new Socket({ fd, readable: true, writable: false }))
  if (path === '-' && stats.isCharacterDevice() && process.stdin.isTTY) {
    throw new OperatorError(
      'input-terminal',
      'Standard input is a terminal; pipe a capture in, as in `tcpdump -w - | tunnelscope analyze -`.',
    )
  }
  return new FileInput(fd, stats.isFile() ? stats.size : undefined)
}

/** Synchronous reads are the fastest way through a file, and the page cache seldom makes them wait. */
class FileInput implements ByteInput {
  readonly byteLen?: number
  readonly #fd: number
  #open = true

  constructor(fd: number, byteLen: number | undefined) {
    this.#fd = fd
    if (byteLen !== undefined) this.byteLen = byteLen
  }

  read(target: Uint8Array, at: number, len: number): number {
    try {
      return readSync(this.#fd, target, at, len, null)
    } catch (error) {
      throw new InputFault(`the file cannot be read further (${(error as NodeJS.ErrnoException).code})`)
    }
  }

  close(): void {
    if (this.#open && this.#fd !== 0) closeSync(this.#fd)
    this.#open = false
  }
}

/** The parts of a Node stream that are needed: pipes, sockets, and zlib's decompressors. */
export interface PullableStream {
  read(): Uint8Array | null
  on(event: 'readable' | 'end' | 'close', listener: () => void): unknown
  on(event: 'error', listener: (error: Error) => void): unknown
  destroy(): unknown
}

/** A Node stream, pulled. What it held when it failed is still delivered before the fault. */
export class StreamInput implements ByteInput {
  readonly #stream: PullableStream
  readonly #describe: (error: Error) => string
  #rest: Uint8Array = new Uint8Array(0)
  #error: Error | undefined
  #ended = false
  #wake: (() => void) | undefined

  constructor(stream: PullableStream, describe = (error: Error) => `the input failed (${error.message})`) {
    this.#stream = stream
    this.#describe = describe
    stream.on('readable', () => this.#wakeUp())
    stream.on('end', () => this.#end())
    stream.on('close', () => this.#end())
    stream.on('error', (error) => {
      this.#error ??= error
      this.#wakeUp()
    })
  }

  async read(target: Uint8Array, at: number, len: number): Promise<number> {
    while (this.#rest.length === 0) {
      const chunk = this.#stream.read()
      if (chunk !== null && chunk.length > 0) this.#rest = chunk
      else if (this.#error !== undefined) throw new InputFault(this.#describe(this.#error))
      else if (this.#ended) return 0
      else await new Promise<void>((resolve) => (this.#wake = resolve))
    }
    const count = Math.min(len, this.#rest.length)
    target.set(this.#rest.subarray(0, count), at)
    this.#rest = this.#rest.subarray(count)
    return count
  }

  close(): void {
    this.#stream.destroy()
  }

  #end(): void {
    this.#ended = true
    this.#wakeUp()
  }

  #wakeUp(): void {
    const wake = this.#wake
    this.#wake = undefined
    wake?.()
  }
}

function openError(path: string, error: NodeJS.ErrnoException): OperatorError {
  switch (error.code) {
    case 'ENOENT':
      return new OperatorError('input-missing', `There is no file ${path}; give the path of a pcap or pcapng capture.`)
    case 'EACCES':
    case 'EPERM':
      return new OperatorError('input-denied', `No permission to read ${path}; run as its owner or change its mode.`)
    case 'EISDIR':
      return new OperatorError('input-directory', `${path} is a directory; name the capture files in it.`)
    case 'EMFILE':
    case 'ENFILE':
      return new OperatorError('input-too-many', `Too many files are open at ${path}; give fewer or raise ulimit -n.`)
    default:
      return new OperatorError('input-unreadable', `${path} cannot be read (${error.code ?? error.message}).`)
  }
}
