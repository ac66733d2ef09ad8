// Clients of the stream by what they want (filter, messages per frame): a group's frames are made once, and kept in a log
// until every member was given them or the log is too long.
import type { FindingFilter, StoredMessage } from '../store/reader.ts'
import { createFrameLog, type FrameLog } from './frame-log.ts'
import { framesOf, messageText } from './stream-frames.ts'

export interface Group<Member> {
  readonly name: string
  readonly filter: FindingFilter
  /** Messages per frame: 1 sends each alone as an object, more sends arrays. */
  readonly batch: number
  readonly log: FrameLog
  readonly members: Set<Member>
}

export interface StreamGroups<Member> {
  /** The group of that wish; whoever takes it becomes a member by adding itself. */
  groupOf(filter: FindingFilter, batch: number): Group<Member>
  leave(member: Member, group: Group<Member>): void
  /** Adds the messages to every log and calls `send` for every member. */
  publish(messages: readonly StoredMessage[], send: (member: Member) => void): void
  /** Forgets the frames that every member was given. */
  release(): void
  clear(): void
}

/** `positionOf` is the next frame a member wants of its log; Infinity when it wants none. `logBytes`: of all logs together. */
export function createStreamGroups<Member>(
  logBytes: number,
  positionOf: (member: Member) => number,
): StreamGroups<Member> {
  const groups = new Map<string, Group<Member>>()

  function releaseIn({ log, members }: Group<Member>): void {
    let least = log.end
    for (const member of members) least = Math.min(least, positionOf(member))
    log.release(least)
  }

  return {
    groupOf(filter, batch) {
      const name = `${batch} ${JSON.stringify(filter)}`
      const group = groups.get(name) ?? { name, filter, batch, log: createFrameLog(), members: new Set() }
      groups.set(name, group)
      return group
    },
    leave(member, group) {
      group.members.delete(member)
      if (group.members.size === 0 && groups.get(group.name) === group) groups.delete(group.name)
    },
    publish(messages, send) {
      if (messages.length === 0 || groups.size === 0) return
      const texts = messages.map(messageText)
      for (const group of groups.values()) {
        for (const frame of framesOf(messages, texts, group.filter, group.batch)) group.log.push(frame)
        for (const member of group.members) send(member)
        releaseIn(group)
        group.log.limit(logBytes / groups.size)
      }
    },
    release() {
      for (const group of groups.values()) releaseIn(group)
    },
    clear: () => groups.clear(),
  }
}
