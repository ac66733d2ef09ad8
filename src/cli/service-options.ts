// Flags that `tail` and `findings` share: where the service is, and which findings.
import type { Command } from 'commander'
import type { FindingsAnswer, FindingsQuestion, MessageFilter, ServiceAddress } from '../api/client.ts'
import { DEFAULT_SOCKET } from '../constants/paths.ts'
import { OperatorError } from '../model/operator-error.ts'

/** Where the service is. */
export interface AddressFlags {
  socket: string
  url?: string
  tokenFile?: string
}

export interface ServiceFlags extends AddressFlags {
  since?: string
  severity?: string
  interface: string[]
  site?: string
}

export function addServiceOptions(command: Command): Command {
  command
    .option('--severity <severity>', 'this severity or worse: info, warning, critical')
    .option('--interface <name>', 'seen on this interface (repeatable)', collect, [])
    .option('--site <host>', 'about this host or a name below it')
  return addAddressOptions(command)
}

export function addAddressOptions(command: Command): Command {
  return command
    .option('--socket <path>', 'the service’s UNIX socket', DEFAULT_SOCKET)
    .option('--url <url>', 'the service’s loopback address, such as http://127.0.0.1:8477')
    .option('--token-file <path>', 'file with the token for --url')
}

export function collect(value: string, before: string[]): string[] {
  return [...before, value]
}

/** @throws OperatorError `bad-flag` */
export function serviceAddress(flags: AddressFlags): ServiceAddress {
  if (flags.url === undefined) return { socketPath: flags.socket }
  const port = /^http:\/\/(?:127\.0\.0\.1|localhost|\[::1\]):(\d+)\/?$/.exec(flags.url)?.[1]
  if (port === undefined || Number(port) > 0xffff) {
    throw new OperatorError('bad-flag', `--url ${flags.url}: give a loopback address such as http://127.0.0.1:8477.`)
  }
  if (flags.tokenFile === undefined) throw new OperatorError('bad-flag', '--url needs --token-file.')
  return { url: flags.url.replace(/\/$/, ''), tokenPath: flags.tokenFile }
}

/** @throws OperatorError `bad-flag` */
export function messageFilter(flags: ServiceFlags, ids: readonly string[]): MessageFilter {
  const { severity, site } = flags
  if (severity !== undefined && severity !== 'info' && severity !== 'warning' && severity !== 'critical') {
    throw new OperatorError('bad-flag', `--severity ${severity}: no such severity; use info, warning or critical.`)
  }
  return {
    ...(severity !== undefined && { severity }),
    ...(site !== undefined && { site: site.toLowerCase().replace(/\.$/, '') }),
    ...(ids.length > 0 && { id: [...ids] }),
    ...(flags.interface.length > 0 && { interface: flags.interface }),
  }
}

const UNIT_MS: Readonly<Record<string, number>> = Object.freeze({ s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 })

/**
 * `90s`, `10m`, `2h`, `7d` before `nowMillis`, or a date or time; as ISO 8601.
 * @throws OperatorError `bad-flag`
 */
export function sinceTime(text: string, nowMillis: number): string {
  const span = /^(\d+)([smhd])$/.exec(text)
  const millis = span === null ? Date.parse(text) : nowMillis - Number(span[1]) * UNIT_MS[span[2]!]!
  if (Number.isNaN(millis) || Math.abs(millis) > 8.64e15) {
    throw new OperatorError(
      'bad-flag',
      `--since ${text}: give a span like 90s, 10m, 2h, 7d, or a time like 2026-01-02T03:04:05Z.`,
    )
  }
  return new Date(millis).toISOString()
}

/** Every finding of the question, page by page, with the number the answer stands at. */
export async function allFindings(
  ask: (question: FindingsQuestion) => Promise<FindingsAnswer>,
  question: FindingsQuestion,
  take: (finding: FindingsAnswer['findings'][number]) => void,
): Promise<number> {
  let after = question.after
  for (;;) {
    const page = await ask({ ...question, ...(after !== undefined && { after }), limit: 1000 })
    for (const finding of page.findings) take(finding)
    if (!page.more) return page.seq
    after = page.findings.at(-1)!.seq
  }
}
