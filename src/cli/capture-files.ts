// The captures a command reads: named behind it; or with -r as tcpdump has it, and then a filter expression behind.
import { existsSync } from 'node:fs'
import type { Command } from 'commander'
import { PacketFilter } from '../capture/packet-filter.ts'
import { OperatorError } from '../model/operator-error.ts'
import { collect } from './service-options.ts'

export interface CaptureFileFlags {
  read: string[]
}

/** Without any the command ends with a sentence. */
export function addCaptureFiles(command: Command, help: string): Command {
  return command
    .argument('[file...]', `${help}; behind -r a filter expression, pcap-filter(7)`)
    .option('-r, --read <file>', 'a capture, named as for tcpdump (repeatable)', collect, [])
    .hook('preAction', () => {
      if (captureFiles(command.args, command.opts<CaptureFileFlags>()).length > 0) return
      command.error('error: name a pcap or pcapng capture, or - for standard input')
    })
}

/** `words`: what stands behind the command. */
export function captureFiles(words: readonly string[], flags: CaptureFileFlags): readonly string[] {
  return flags.read.length > 0 ? flags.read : words
}

/** Undefined without an expression. @throws OperatorError `bad-flag` when they are captures and no expression */
export function captureFilter(words: readonly string[], flags: CaptureFileFlags): PacketFilter | undefined {
  if (flags.read.length === 0 || words.length === 0) return undefined
  if (words.every((word) => existsSync(word)))
    throw new OperatorError(
      'bad-flag',
      `${words[0]} stands behind -r, where a filter belongs: give each capture its own -r.`,
    )
  return new PacketFilter(words.join(' '))
}
