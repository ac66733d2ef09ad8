// `events FILE…`: every decoded transaction as one EVE JSON line; files one after the other, each by itself.
import type { Command } from 'commander'
import { createTransport } from '../../analysis/trackers/transport.ts'
import { openCapture } from '../../capture/open-capture.ts'
import { createSecretsFeed, openKeyLogs } from '../../daemon/key-log-files.ts'
import { drain } from '../../daemon/pipeline.ts'
import { PLATFORM } from '../../daemon/platform.ts'
import { platformHasher } from '../../daemon/platform-hasher.ts'
import { createEventWriter } from '../../text/event-writer.ts'
import { addCaptureFiles, type CaptureFileFlags, captureFiles, captureFilter } from '../capture-files.ts'
import { eachInput } from '../each-input.ts'
import { createLineOutput } from '../line-output.ts'
import { KEYLOG_HELP } from '../network-flags.ts'
import { collect } from '../service-options.ts'
import { tellKeyLog } from '../tell-key-log.ts'

export function addEventsCommand(program: Command): void {
  const command = program
    .command('events')
    .description('Print every decoded transaction of capture files as EVE JSON lines.')
  addCaptureFiles(command, 'captures, read one after the other; "-" is standard input')
    .option('--fingerprints', 'add JA3 and JA4 fingerprints to tls events')
    .option('--keylog <file>', KEYLOG_HELP, collect, [])
    .option('--keep-url-queries', 'keep what follows "?" in URLs; blanked otherwise, for it holds searches and tokens')
    .action(runEvents)
}

interface EventsFlags extends CaptureFileFlags {
  keylog?: string[]
  fingerprints?: boolean
  keepUrlQueries?: boolean
}

async function runEvents(words: string[], flags: EventsFlags): Promise<void> {
  const keyLog = openKeyLogs(flags.keylog ?? [])
  const filter = captureFilter(words, flags)
  const output = createLineOutput()
  await eachInput(captureFiles(words, flags), async (file) => {
    const source = await openCapture(file, filter)
    const handlers = createEventWriter(output.write, {
      interfaces: source.interfaces,
      withInputName: true,
      keepUrlQueries: flags.keepUrlQueries === true,
    })
    const transport = createTransport(handlers, {
      ...PLATFORM,
      ...(flags.fingerprints === true ? { hasher: platformHasher } : {}),
      ...(keyLog === undefined ? {} : { keyLog }),
    })
    const feedSecrets = createSecretsFeed(source.annex, keyLog)
    await drain(
      source,
      (batch, out) => {
        feedSecrets()
        for (let row = 0; row < batch.count; row++) transport.packet(batch, out, row)
        if (batch.count > 0) transport.tick(batch.timeMicros[batch.count - 1]!)
      },
      output.settle,
    )
    transport.end()
    await output.settle()
    await source.close()
    return source.inputs
  })
  tellKeyLog(keyLog)
}
