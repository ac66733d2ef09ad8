// The captures a command reads: named behind it, or with -r as tcpdump has it.
import type { Command } from 'commander'
import { collect } from './service-options.ts'

export interface CaptureFileFlags {
  read: string[]
}

/** Without any the command ends with a sentence. */
export function addCaptureFiles(command: Command, help: string): Command {
  return command
    .argument('[file...]', help)
    .option('-r, --read <file>', 'a capture, named as for tcpdump (repeatable)', collect, [])
    .hook('preAction', () => {
      if (captureFiles(command.args, command.opts<CaptureFileFlags>()).length > 0) return
      command.error('error: name a pcap or pcapng capture, or - for standard input')
    })
}

export function captureFiles(files: readonly string[], flags: CaptureFileFlags): string[] {
  return [...flags.read, ...files]
}
