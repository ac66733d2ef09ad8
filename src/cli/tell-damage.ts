// Damage of inputs, told on stderr: file, byte offset, reason.
import type { InputSummary } from '../model/capture-interface.ts'
import { escapeForTerminal } from '../text/escape.ts'

/** True when any input was damaged. */
export function tellDamage(inputs: readonly InputSummary[]): boolean {
  let damaged = false
  for (const input of inputs) {
    if (input.damage === undefined) continue
    damaged = true
    const { offset, reason } = input.damage
    const name = input.name === '-' ? 'standard input' : escapeForTerminal(input.name)
    process.stderr.write(
      `tunnelscope: ${name} is damaged at byte ${offset}: ${escapeForTerminal(reason)}; ${usedText(input.packets)}.\n`,
    )
  }
  return damaged
}

function usedText(packets: number): string {
  if (packets === 0) return 'no packet stands before it'
  return packets === 1 ? 'the packet before it was used' : `the ${packets} packets before it were used`
}
