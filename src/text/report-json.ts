// The report as JSON in pieces: whole, its text would be many times what is remembered of the capture.
import type { Report } from '../model/report.ts'

/** Pieces which together are what JSON.stringify(report, undefined, 2) gives, and a line end. */
export function* reportJson(report: Report): Generator<string> {
  let mark = '{\n'
  for (const [key, value] of Object.entries(report)) {
    if (value === undefined) continue
    yield `${mark}  ${JSON.stringify(key)}: `
    if (Array.isArray(value) && value.length > 0) yield* elements(value)
    else yield indented(value, 2)
    mark = ',\n'
  }
  yield '\n}\n'
}

function* elements(values: readonly unknown[]): Generator<string> {
  let mark = '[\n'
  for (const value of values) {
    yield `${mark}    ${indented(value, 4)}`
    mark = ',\n'
  }
  yield '\n  ]'
}

/** Line ends within texts are escaped in JSON, so that those found here are its own. */
function indented(value: unknown, spaces: number): string {
  return JSON.stringify(value, undefined, 2).replaceAll('\n', `\n${' '.repeat(spaces)}`)
}
