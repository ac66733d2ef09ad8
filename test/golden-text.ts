// What a golden holds: everything tunnelscope says about one capture, its events and its report.
import { createTransport } from '../src/analysis/trackers/transport.ts'
import { openMerged } from '../src/capture/merge.ts'
import { openCapture } from '../src/capture/open-capture.ts'
import { analyze, drain } from '../src/daemon/pipeline.ts'
import { createEventWriter } from '../src/text/event-writer.ts'
import { reportText } from '../src/text/report.ts'

const WIDTH = 120

/** Events and report of the capture at `path`; `name` stands for it, so that the folder does not matter. */
export async function goldenText(path: string, name: string): Promise<string> {
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
  ].join('\n')
}

async function eventsOf(path: string): Promise<string[]> {
  const lines: string[] = []
  const source = await openCapture(path)
  const writer = createEventWriter((line) => lines.push(line), { interfaces: source.interfaces, withInputName: false })
  const transport = createTransport(writer)
  try {
    await drain(source, (batch, out) => {
      for (let row = 0; row < batch.count; row++) transport.packet(batch, out, row)
    })
    transport.end()
  } finally {
    await source.close()
  }
  return lines
}

async function reportOf(path: string): Promise<string> {
  const source = await openMerged([path])
  try {
    const analyzer = await analyze(source, { version: 'golden', tunnels: [], physicals: [], vpnResolvers: [] })
    return reportText(analyzer.report(), { width: WIDTH, colour: false })
  } finally {
    await source.close()
  }
}
