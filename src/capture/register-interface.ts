// Gives an interface of an input its global id.
import { MAX_RUN_INTERFACES } from '../constants/limits.ts'
import type { CaptureInterface } from '../model/capture-interface.ts'
import type { RunInput } from './record-format.ts'

/** What an input says of an interface; the rest follows from the input. */
export type DeclaredInterface = Omit<CaptureInterface, 'id' | 'inputIndex' | 'inputName' | 'addresses'> & {
  addresses?: readonly string[]
}

/** Appends the interface to the run's list and returns its id, or −1 when the list is full. */
export function registerInterface(input: RunInput, declared: DeclaredInterface): number {
  const interfaces = input.run.interfaces
  const id = interfaces.length
  if (id >= MAX_RUN_INTERFACES) return -1
  interfaces.push({
    id,
    inputIndex: input.inputIndex,
    inputName: input.inputName,
    addresses: [],
    ...declared,
  })
  return id
}
