// What flags say of the network, the same for `analyze` and the daemon: a value that is not understood is refused.
import { splitEndpoint } from '../analysis/endpoint-text.ts'
import type { Severity } from '../model/finding.ts'
import { OperatorError } from '../model/operator-error.ts'
import { parseAddress } from '../text/address.ts'
import { isHostOrAddress } from '../text/host-name.ts'

/** Of `--keylog`, which every command that reads captures has. */
export const KEYLOG_HELP =
  'TLS secrets of your own programs (SSLKEYLOGFILE): what is inside TLS is read too; "capture": those inside the captures (repeatable)'

/** The value, an IP address. @throws OperatorError `bad-address` */
export function addressFlag(flag: string, value: string): string {
  if (parseAddress(value) !== undefined) return value
  throw new OperatorError('bad-address', `${flag} ${value}: not an IP address; give one like 10.64.0.1.`)
}

/** The threshold of --fail-on. @throws OperatorError `bad-severity` */
export function severityFlag(value: string | undefined): Severity | undefined {
  if (value === undefined || value === 'info' || value === 'warning' || value === 'critical') return value
  throw new OperatorError('bad-severity', `--fail-on ${value}: no such severity; use info, warning or critical.`)
}

/** The value, a VPN server with or without a port. @throws OperatorError `bad-address` */
export function endpointFlag(value: string): string {
  const { address, port } = splitEndpoint(value)
  addressFlag('--endpoint', address)
  if (port <= 0xffff) return value
  throw new OperatorError('bad-address', `--endpoint ${value}: a port is a number up to 65535.`)
}

/** The value, the name or address of an encrypted resolver. @throws OperatorError `bad-resolver` */
export function dohFlag(value: string): string {
  if (isHostOrAddress(value)) return value
  throw new OperatorError(
    'bad-resolver',
    `--doh ${value}: neither a host name nor an IP address; give one like dns.example.net or 203.0.113.53.`,
  )
}
