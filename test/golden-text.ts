// What a golden holds: everything tunnelscope says about one capture, its events and its report.
import { createKeyLog, type KeyLog } from '../src/analysis/key-log.ts'
import { createTransport } from '../src/analysis/trackers/transport.ts'
import { openMerged } from '../src/capture/merge.ts'
import { openCapture } from '../src/capture/open-capture.ts'
import { createSecretsFeed } from '../src/daemon/key-log-files.ts'
import { analyze, drain } from '../src/daemon/pipeline.ts'
import { platformCrypto } from '../src/daemon/platform-crypto.ts'
import { createEventWriter } from '../src/text/event-writer.ts'
import { reportText } from '../src/text/report.ts'

const WIDTH = 120

/**
 * Events and report of the capture at `path`, and once more with the TLS secrets that it carries; `name` stands for it, so
 * that the folder does not matter.
 */
export async function goldenText(path: string, name: string): Promise<string> {
  const keyLog = createKeyLog(true)
  const opened = await eventsOf(path, keyLog)
  const isMore = keyLog.sessionCount > 0
  return [
    `# ${name}. Do not edit; npm run golden:update`,
    '',
    '## events',
    '',
    ...(await eventsOf(path)),
    '',
    '## analyze',
    '',
    await reportOf(path),
    ...(isMore ? ['', '## events --keylog capture', '', ...opened] : []),
    ...(isMore ? ['', '## analyze --keylog capture', '', await reportOf(path, createKeyLog(true))] : []),
  ].join('\n')
}

async function eventsOf(path: string, keyLog?: KeyLog): Promise<string[]> {
  const lines: string[] = []
  const source = await openCapture(path)
  const writer = createEventWriter((line) => lines.push(line), { interfaces: source.interfaces, withInputName: false })
  const transport = createTransport(writer, keyLog === undefined ? {} : { keyLog, crypto: platformCrypto })
  const feedSecrets = createSecretsFeed(source.annex, keyLog)
  try {
    await drain(source, (batch, out) => {
      feedSecrets()
      for (let row = 0; row < batch.count; row++) transport.packet(batch, out, row)
    })
    transport.end()
  } finally {
    await source.close()
  }
  return lines
}

async function reportOf(path: string, keyLog?: KeyLog): Promise<string> {
  const source = await openMerged([path])
  try {
    const options = { version: 'golden', tunnels: [], physicals: [], vpnResolvers: [] }
    const analyzer = await analyze(source, { ...options, ...(keyLog === undefined ? {} : { keyLog }) })
    return reportText(analyzer.report(), { width: WIDTH, colour: false })
  } finally {
    await source.close()
  }
}
