// The version of the program, read once from the package itself.
import { readFileSync } from 'node:fs'

/** As in package.json. */
export const VERSION: string = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')).version
