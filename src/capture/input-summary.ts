// The account of an input.
import type { InputSummary } from '../model/capture-interface.ts'

/** The account of an input of which nothing has been read yet. */
export function createSummary(name: string): InputSummary {
  return { name, format: 'unknown', packets: 0, bytes: 0, late: 0 }
}
