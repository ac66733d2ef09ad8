// What a script is asked for on its command line. `--help` never starts anything, nor does a flag nobody knows.
import { parseArgs } from 'node:util'

/**
 * The flags (`options` as node:util parseArgs takes them) and at most `mostWords` words. Prints `usage` and ends the
 * process when it is asked for (0) or something is not understood (2).
 */
export function scriptOptions(usage, options = {}, mostWords = 0) {
  try {
    const help = { type: 'boolean', short: 'h' }
    const { values, positionals } = parseArgs({ options: { ...options, help }, allowPositionals: true })
    if (values.help === true) {
      console.log(usage)
      process.exit(0)
    }
    if (positionals.length > mostWords) throw new Error(`What is "${positionals[mostWords]}"?`)
    return { values, words: positionals }
  } catch (error) {
    return refuse(error.message, usage)
  }
}

/** `text` as a whole number of at least `least`; ends the process when it is none. */
export function wholeNumber(name, text, usage, least = 1) {
  if (/^\d{1,9}$/.test(text) && Number(text) >= least) return Number(text)
  return refuse(`${name} ${text}: give a whole number from ${least} on.`, usage)
}

/** `text` as a number above 0, parts of one too; ends the process when it is none. */
export function positiveNumber(name, text, usage) {
  if (/^\d{1,9}(\.\d{1,9})?$/.test(text) && Number(text) > 0) return Number(text)
  return refuse(`${name} ${text}: give a number above 0.`, usage)
}

/** Ends the process: one sentence, and what would be right. */
export function refuse(sentence, usage) {
  console.error(`${sentence}\n${usage}`)
  process.exit(2)
}
