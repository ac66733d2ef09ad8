// Names of hosts as a person writes them.
import { parseAddress } from './address.ts'

/** RFC 1035 2.3.4. */
const MAX_NAME_LEN = 253
/** RFC 952 and 1123 2.1, and the underscore, which names in use have. */
const LABEL = /^[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?$/i

/**
 * An IP address, or a name of several labels, with or without the final dot. A last label of digits is a mistyped
 * address (RFC 3696 2); a single label would stand for everything below it.
 */
export function isHostOrAddress(text: string): boolean {
  if (parseAddress(text) !== undefined) return true
  const labels = text.replace(/\.$/, '').split('.')
  return (
    text.length <= MAX_NAME_LEN + 1 &&
    labels.length > 1 &&
    labels.every((label) => LABEL.test(label)) &&
    !/^\d+$/.test(labels.at(-1)!)
  )
}
