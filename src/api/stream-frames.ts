// Stored messages as the frames of the stream.
import { type FindingFilter, passesFilter, type StoredMessage } from '../store/reader.ts'
import type { MessageFilter } from './messages.ts'

/** Messages of one frame as they go to every client of a group. */
export interface Frame {
  readonly bytes: Buffer
  readonly first: number
  readonly last: number
  readonly count: number
}

/** The messages that pass, `batch` to a frame; texts[i] is messages[i]'s. */
export function framesOf(
  messages: readonly StoredMessage[],
  texts: readonly string[],
  filter: FindingFilter,
  batch: number,
): Frame[] {
  const frames: Frame[] = []
  let pending: number[] = []
  const flush = () => {
    if (pending.length === 0) return
    const text = frameText(
      pending.map((index) => texts[index]!),
      batch,
    )
    frames.push({
      bytes: Buffer.from(text),
      first: messages[pending[0]!]!.seq,
      last: messages[pending.at(-1)!]!.seq,
      count: pending.length,
    })
    pending = []
  }
  for (let index = 0; index < messages.length; index++) {
    if (!passesFilter(messages[index]!, filter)) continue
    pending.push(index)
    if (pending.length === batch) flush()
  }
  flush()
  return frames
}

/** One message alone is an object; a client that asked for more to a frame always gets an array. */
export function frameText(texts: readonly string[], batch: number): string {
  return batch === 1 ? texts[0]! : `[${texts.join(',')}]`
}

/** The stored body as a message; it was JSON when it was stored and stays as it is. */
export function messageText(message: StoredMessage): string {
  const { kind, seq, number, body } = message
  return kind === 'finding'
    ? `{"type":"finding","seq":${seq},"number":${number},"finding":${body}}`
    : `{"type":"${kind}","seq":${seq},"${kind}":${body}}`
}

/** The filter as the store knows it. */
export function storeFilter(filter: MessageFilter): FindingFilter {
  return { severity: filter.severity, ids: filter.id, interfaces: filter.interface, site: filter.site }
}
