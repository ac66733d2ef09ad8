// The daemon: the capturing thread on one side, store, socket and stream on the other. Findings are told to whoever
// started it, and published by the service.
import { renameSync, writeFileSync } from 'node:fs'
import type { Finding } from '../model/finding.ts'
import { OperatorError } from '../model/operator-error.ts'
import type { ReportInterface } from '../model/report.ts'
import { clockWords } from '../text/duration.ts'
import { systemErrorText } from '../text/system-error.ts'
import type { CaptureOptions, Overview, WatchedInterface } from './capture-messages.ts'
import { type CaptureEnd, startCapture } from './capture-thread.ts'
import { type EventLog, openEventLog } from './event-log.ts'
import type { EvidenceLimits } from './evidence.ts'
import { type Service, type ServiceOptions, startService } from './service.ts'
import { createServiceManager } from './service-manager.ts'

export interface DaemonOptions {
  readonly capture: CaptureOptions
  /** Absent: nothing is stored or served. */
  readonly service?: Pick<ServiceOptions, 'storePath' | 'socketPath' | 'retention' | 'loopback'>
  /** EVE lines of the findings are appended here; needs the service. */
  readonly eventLogPath?: string
  /** The report goes here when asked for, and at the end. */
  readonly reportPath?: string
  /** What the operator called it. */
  readonly reportName?: string
  /** A finding that is new or has grown. */
  onFinding(finding: Finding): void
  /** One line for the operator. */
  tell(level: 'info' | 'warn' | 'error', message: string): void
}

export interface Daemon {
  /** The interfaces that are up at the start. */
  readonly interfaces: readonly WatchedInterface[]
  /** Where clients find the service; empty without one. */
  readonly addresses: readonly string[]
  /** Writes the report to its file; never throws, trouble is told. */
  writeReport(): Promise<void>
  /** SIGHUP: the event log is opened anew, `apply` takes over the settings; the service manager is told. */
  reloading(apply: () => void): void
  setEvidence(limits: EvidenceLimits): void
  /** Ends the capture; `ended` tells when everything is flushed. */
  stop(): void
  /** Rejected with a bug of ours. */
  readonly ended: Promise<DaemonEnd>
}

export interface DaemonEnd extends CaptureEnd {
  /** Its last state could not be written. */
  readonly isReportLost: boolean
}

/**
 * Captures from now on and serves what it finds.
 * @throws OperatorError of the capture, the store or the socket
 */
export async function startDaemon(options: DaemonOptions): Promise<Daemon> {
  let interfaces: readonly ReportInterface[] = []
  let service: Service | undefined
  let failService: (error: Error) => void = () => {}
  const serviceFailed = new Promise<never>((_, reject) => {
    failService = reject
  })
  serviceFailed.catch(() => {})
  const manager = createServiceManager()
  let eventLog: EventLog | undefined

  async function serve(settings: NonNullable<DaemonOptions['service']>): Promise<void> {
    if (options.eventLogPath !== undefined) {
      eventLog = await openEventLog(options.eventLogPath, (message) => options.tell('warn', message))
    }
    service = await startService({
      ...settings,
      version: options.capture.version,
      ...(eventLog === undefined ? {} : { eventLog }),
      interfaces: () => [...interfaces],
      tell: options.tell,
      onFatal: failService,
    })
  }

  function publish({ verdict, epochs, interfaces: seen }: Overview): void {
    interfaces = seen
    for (const epoch of epochs) service?.publishEpoch(epoch)
    service?.publishVerdict(verdict)
  }

  const capture = await startCapture(options.capture, {
    findings(findings) {
      for (const finding of findings) {
        service?.publish(finding)
        options.onFinding(finding)
      }
    },
    overview: publish,
    sites: (sites) => service?.publishSites(sites),
    leaks: (leaks) => service?.publishLeaks(leaks),
    stats(stats) {
      manager.alive()
      service?.publishStats(stats)
    },
    dns(rollups) {
      for (const rollup of rollups) service?.publishDns(rollup)
    },
    tallies(tallies) {
      for (const tally of tallies) service?.publishStatistics(tally)
    },
    leakService: (changes) => service?.publishLeakService(changes),
    clockSet(byMillis) {
      options.tell('warn', `${clockWords(byMillis)}: the analysis begins anew, what is stored stays`)
      service?.startEpochsAnew()
    },
    trouble: (sentence) => options.tell('error', sentence),
  })
  // Nothing is made before it is known that there is the right to capture.
  try {
    if (options.service !== undefined) await serve(options.service)
  } catch (error) {
    capture.begin()
    capture.stop()
    await Promise.allSettled([capture.ended, eventLog?.close()])
    throw error
  }
  capture.begin()
  if (capture.shortage !== undefined) options.tell('warn', capture.shortage)

  /** False when there is trouble, which is told. */
  function write(json: string): boolean {
    if (options.reportPath === undefined) return true
    try {
      writeReportFile(options.reportPath, options.reportName ?? options.reportPath, json)
      return true
    } catch (error) {
      options.tell('error', (error as Error).message)
      return false
    }
  }

  const ended = Promise.race([capture.ended, serviceFailed]).then(async (end) => {
    manager.stopping()
    const isReportLost = !write(end.json)
    await service?.close()
    return { ...end, isReportLost }
  })
  const watched = capture.interfaces.filter((one) => one.isWatched).length
  const status = `watching ${watched} ${watched === 1 ? 'interface' : 'interfaces'}`
  manager.ready(status)
  return {
    interfaces: capture.interfaces,
    addresses: service?.addresses ?? [],
    writeReport: async () => {
      write(await capture.report())
    },
    reloading(apply) {
      manager.reloading()
      eventLog?.reopen()
      apply()
      manager.ready(status)
    },
    setEvidence: capture.setEvidence,
    stop: capture.stop,
    ended,
  }
}

/** Whoever reads the file finds a whole report; one that root opened for us cannot be renamed over. @throws OperatorError `write-file` */
function writeReportFile(path: string, name: string, json: string): void {
  const isInherited = path.startsWith('/proc/self/fd/')
  const fresh = isInherited ? path : `${path}.new`
  try {
    writeFileSync(fresh, `${json}\n`, { mode: 0o600 })
    if (!isInherited) renameSync(fresh, path)
  } catch (error) {
    throw new OperatorError('write-file', `the report cannot be written to ${name}: ${systemErrorText(error)}`)
  }
}
