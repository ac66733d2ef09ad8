// The packets of all interfaces while the ways are gone, judged as the daemon judges them: the kernel's ring, the network's
// context, the engine. What it saw of each way is asked when it has ended.
import { createAnalyzer } from '../analysis/analyzer.ts'
import type { Analyzer } from '../analysis/analyzer-interface.ts'
import { createNetworkHistory } from '../analysis/trackers/network-history.ts'
import type { NetworkWatch } from '../capture/context-watch.ts'
import { RingSource } from '../capture/ring-source.ts'
import { MAX_LIVE_FLOWS } from '../constants/limits.ts'
import { CaptureFile } from '../daemon/capture-file.ts'
import { drain } from '../daemon/pipeline.ts'
import { PLATFORM } from '../daemon/platform.ts'
import { VERSION } from '../daemon/version.ts'
import { OperatorError } from '../model/operator-error.ts'
import type { Report } from '../model/report.ts'
import { createBlank } from './blank-own.ts'
import type { BoundSockets } from './bound-sockets.ts'
import type { Target } from './target.ts'

export interface ObserverOptions {
  readonly watch: NetworkWatch
  readonly sockets: BoundSockets
  readonly target: Target
  /** -w: the path to open, and what a person calls it. */
  readonly file?: { readonly path: string; readonly name: string }
}

export interface Observed {
  readonly observe: Analyzer['observe']
  readonly report: Report
  readonly packets: number
  readonly dropped: number
  /** What changed of the network meanwhile, in words. */
  readonly changes: readonly string[]
  /** Why the file is not whole; absent when it is, or there is none. */
  readonly fileTrouble?: string
}

export interface Observer {
  /** What has arrived up to now is still looked at. */
  end(): Promise<Observed>
}

/** Captures from now on. @throws OperatorError `check-right`, and as RingSource and PcapngWriter do */
export function openObserver({ watch, sockets, target, file: write }: ObserverOptions): Observer {
  const source = openRing(watch)
  const network = createNetworkHistory(true)
  const analyzer = createAnalyzer(source.interfaces, source.inputs, {
    ...PLATFORM,
    version: VERSION,
    tunnels: [],
    physicals: [],
    vpnResolvers: [],
    maxFlows: MAX_LIVE_FLOWS,
    network,
    ownProbes: sockets,
  })
  let fileTrouble: string | undefined
  const file = new CaptureFile(
    { version: VERSION, ...(write === undefined ? {} : { writePath: write.path, writeName: write.name }) },
    (sentence) => {
      fileTrouble = sentence
    },
    () => {},
  )
  const blank = createBlank(target, (port) => sockets.isOurs(port))
  const changes: string[] = []
  let isFirst = true

  const followNetwork = (): void => {
    for (const context of watch.takeChanges()) {
      network.add(context)
      file.context(context)
      if (!isFirst) changes.push(...context.changes)
      isFirst = false
    }
  }

  try {
    followNetwork()
  } catch (error) {
    void source.close()
    throw error
  }
  const running = drain(source, (batch, out) => {
    followNetwork()
    analyzer.consume(batch, out)
    analyzer.tick(source.caughtUpMicros)
    if (write === undefined) return
    blank(batch, out)
    file.packets(batch, source)
  })
  // Told by end().
  running.catch(() => {})

  return {
    async end() {
      source.stop()
      try {
        await running
        const summary = source.inputs[0]!
        const endMicros = Math.max(source.caughtUpMicros, summary.lastMicros ?? 0)
        const { dropped } = source.statistics()
        analyzer.tick(endMicros)
        analyzer.end()
        file.close(source, endMicros, dropped)
        return {
          observe: analyzer.observe,
          report: analyzer.report(),
          packets: summary.packets,
          dropped,
          changes,
          ...(fileTrouble === undefined ? {} : { fileTrouble }),
        }
      } finally {
        await source.close()
      }
    },
  }
}

function openRing(watch: NetworkWatch): RingSource {
  try {
    return new RingSource({ links: watch })
  } catch (error) {
    if (!(error instanceof OperatorError) || error.code !== 'capture-right') throw error
    throw new OperatorError(
      'check-right',
      'check binds its sockets to interfaces and watches its own packets, which needs CAP_NET_RAW: run it with sudo.',
    )
  }
}
