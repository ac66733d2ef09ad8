// Says what a machine without something cannot test; nothing is left out in silence.

/** One line on the console. */
export function sayNotRun(what: string, needs: string): void {
  console.log(`did not run: ${what} (needs ${needs})`)
}
