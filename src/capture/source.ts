// The one door through which packets enter: a file, several files, a pipe, the kernel's ring.
import type { CaptureInterface, InputSummary } from '../model/capture-interface.ts'
import type { NetworkContext } from '../model/network-context.ts'
import type { PacketBatch } from '../model/packet-batch.ts'

/** Names, secrets and contexts that a capture file carries beside its packets (pcapng NRB, DSB and comments), bounded by the reader. */
export interface CaptureAnnex {
  /** TLS key log lines (pcapng secrets type 0x544c534b) as text, and what they cost to hold. */
  readonly tlsKeyLogs: string[]
  tlsKeyLogsLen?: number
  /** Name resolution records: address and names. */
  readonly names: { address: string; names: string[] }[]
  /** What our own captures say of the network they were made in, in order of the file; absent when nothing. */
  contexts?: NetworkContext[]
}

export interface CaptureSource {
  /** All interfaces seen so far; grows while reading, an entry never moves. Ids are global over all inputs. */
  readonly interfaces: readonly CaptureInterface[]
  readonly inputs: readonly InputSummary[]
  readonly annex: CaptureAnnex
  /**
   * The next batch, or undefined at the end of all inputs. Damage in an input does not throw: what stood before it
   * is delivered and `inputs[i].damage` says where and why. The batch is valid until its release(); call release()
   * before the next next().
   * @throws OperatorError when an input cannot be opened or is no capture at all.
   */
  next(): Promise<PacketBatch | undefined>
  close(): Promise<void>
}

/** A capture that goes on until it is stopped. An empty batch is the tick of an idle network. */
export interface LiveSource extends CaptureSource {
  /** Every packet with an earlier time has been delivered: deadlines before it are due. Microseconds since 1970. */
  readonly caughtUpMicros: number
  /** One sentence when it can hold less than it should. */
  readonly shortage: string | undefined
  /** Counters since the start; also valid after close(). */
  statistics(): { received: number; dropped: number; freezes: number }
  /**
   * By how many milliseconds the clock was set between the batches before and the one just given, forward positive; 0 when
   * it was not. Given once.
   */
  takeClockStep(): number
  /** What arrived up to now is still delivered, then next() gives undefined. */
  stop(): void
}
