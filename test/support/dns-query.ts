// A DNS question in wire form, for tests that need one and no more.
import { encode, RECURSION_DESIRED } from 'dns-packet'

export function dnsQuery(name: string): Uint8Array {
  return Uint8Array.from(encode({ type: 'query', id: 7, flags: RECURSION_DESIRED, questions: [{ type: 'A', name }] }))
}
