// `packets FILE…`: one line a packet, as tcpdump prints them, with interface and direction.
import type { Command } from 'commander'
import { openCapture } from '../../capture/open-capture.ts'
import { drain } from '../../daemon/pipeline.ts'
import { OperatorError } from '../../model/operator-error.ts'
import { packetLine } from '../../text/packet-line.ts'
import { addCaptureFiles, type CaptureFileFlags, captureFiles, captureFilter } from '../capture-files.ts'
import { eachInput } from '../each-input.ts'
import { createLineOutput } from '../line-output.ts'

export function addPacketsCommand(program: Command): void {
  const command = program.command('packets').description('Print one line a packet, with interface and direction.')
  addCaptureFiles(command, 'captures, read one after the other; "-" is standard input')
    .option('-c, --count <number>', 'stop after this many packets')
    .action(runPackets)
}

async function runPackets(words: string[], flags: CaptureFileFlags & { count?: string }): Promise<void> {
  let left = countFlag(flags.count)
  const filter = captureFilter(words, flags)
  const output = createLineOutput()
  await eachInput(captureFiles(words, flags), async (file) => {
    if (left === 0) return []
    const source = await openCapture(file, filter)
    await drain(
      source,
      (batch, out) => {
        for (let row = 0; row < batch.count && left > 0; row++, left--) {
          output.write(packetLine(batch, out, row, source.interfaces))
        }
      },
      async () => {
        await output.settle()
        return left > 0
      },
    )
    await source.close()
    return left > 0 ? source.inputs : []
  })
}

function countFlag(value: string | undefined): number {
  if (value === undefined) return Number.POSITIVE_INFINITY
  const count = Number(value)
  if (Number.isSafeInteger(count) && count > 0) return count
  throw new OperatorError('bad-count', `-c ${value}: give the number of packets, 1 or more.`)
}
