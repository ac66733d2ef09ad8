// The secrets of TLS connections that the operator handed over (RFC 9850), by client random, and what came of them.
import { readKeyLog, type SecretLabel } from '../decoders/tls-key-log.ts'

/** What a log has of one connection. */
export type SessionSecrets = Readonly<Partial<Record<SecretLabel, Uint8Array>>>

export interface KeyLog {
  /** The secrets that captures carry are wanted too. */
  readonly usesCaptures: boolean
  /** Takes the lines of one more log and returns how many secrets there were. The caller bounds how much it gives. */
  add(bytes: Uint8Array): number
  /** Of the connection whose ClientHello has that random, one character a byte. */
  secretsOf(clientRandom: string): SessionSecrets | undefined
  /** Connections that there are secrets of. */
  readonly sessionCount: number
  /** Lines that are no line of a key log. */
  readonly damagedLines: number
  /** Connections in the packets whose records were opened; who opens one counts it. */
  openedCount: number
}

export function createKeyLog(usesCaptures = false): KeyLog {
  const sessions = new Map<string, Partial<Record<SecretLabel, Uint8Array>>>()
  let damagedLines = 0

  return {
    usesCaptures,
    openedCount: 0,
    add(bytes) {
      let secrets = 0
      damagedLines += readKeyLog(bytes, (label, clientRandom, secret) => {
        secrets++
        const known = sessions.get(clientRandom)
        if (known === undefined) sessions.set(clientRandom, { [label]: secret })
        else known[label] = secret
      })
      return secrets
    },
    secretsOf: (clientRandom) => sessions.get(clientRandom),
    get sessionCount() {
      return sessions.size
    },
    get damagedLines() {
      return damagedLines
    },
  }
}
