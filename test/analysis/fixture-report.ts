// The report of a made capture, as `analyze` gives it.
import { fileURLToPath } from 'node:url'
import { openCaptures } from '../../src/capture/open-captures.ts'
import { analyze } from '../../src/daemon/pipeline.ts'
import type { Finding } from '../../src/model/finding.ts'
import type { Report } from '../../src/model/report.ts'

/** `test/fixtures/<group>/<name>.pcapng`, analysed. */
export async function fixtureReport(group: string, name: string): Promise<Report> {
  const path = fileURLToPath(new URL(`../fixtures/${group}/${name}.pcapng`, import.meta.url))
  const source = await openCaptures([path])
  try {
    const analyzer = await analyze(source, { version: 'test', tunnels: [], physicals: [], vpnResolvers: [] })
    return analyzer.report()
  } finally {
    await source.close()
  }
}

/** The findings of that id in the capture that raises it, or in the quiet one. */
export async function fixtureFindings(id: string, name: 'raises' | 'quiet'): Promise<Finding[]> {
  const report = await fixtureReport(id, name)
  return report.findings.filter((finding) => finding.id === id)
}
