// What a capture file format is to the reader: something that turns the bytes of a window into rows.
import type { CaptureInterface } from '../model/capture-interface.ts'
import type { PacketBatch } from '../model/packet-batch.ts'
import type { ByteWindow } from './byte-window.ts'
import type { PacketFilter } from './packet-filter.ts'
import type { CaptureAnnex } from './source.ts'

/** What all inputs of a run share. Interfaces get their global ids in the order in which they are met. */
export interface CaptureRun {
  readonly interfaces: CaptureInterface[]
  readonly annex: CaptureAnnex
  /** Of the packets only those that it accepts are handed on. */
  readonly filter: PacketFilter | undefined
}

export function createRun(filter?: PacketFilter): CaptureRun {
  return { interfaces: [], annex: { tlsKeyLogs: [], names: [] }, filter }
}

/** One input of a run. */
export interface RunInput {
  readonly run: CaptureRun
  readonly inputIndex: number
  readonly inputName: string
}

export interface RecordFormat {
  /** As told in InputSummary.format. */
  readonly name: string
  /** Interfaces that the input has described so far, over all its sections. */
  readonly interfaceCount: number
  /** Set when the record at `window.at` cannot be right: nothing after it is read. */
  readonly fault: string | undefined
  /** Bytes the window must hold before the next fill() can go on. */
  readonly needLen: number
  /**
   * Empties the batch and fills it with the records that are whole in the window, at most as many as it has rows, and
   * moves `window.at` behind them. Never throws.
   */
  fill(window: ByteWindow, batch: PacketBatch): void
}
