// The report as JSON in pieces: whole, its text would be many times what is remembered of the capture.
import type { Report } from '../model/report.ts'
import { escapeInJson } from './escape.ts'

/** Pieces which together are what JSON.stringify(report, undefined, 2) gives, escaped for a terminal, and a line end. */
export function* reportJson(report: Report): Generator<string> {
  let mark = '{\n'
  for (const [key, value] of Object.entries(report)) {
    if (value === undefined) continue
    yield `${mark}  ${JSON.stringify(key)}: `
    if (Array.isArray(value) && value.length > 0) yield* elements(value)
    else yield escapeInJson(JSON.stringify([value], undefined, 2).slice(AT_2.before, AT_2.after))
    mark = ',\n'
  }
  yield '\n}\n'
}

function* elements(values: readonly unknown[]): Generator<string> {
  let mark = '[\n'
  for (const value of values) {
    yield `${mark}    ${escapeInJson(JSON.stringify([[value]], undefined, 2).slice(AT_4.before, AT_4.after))}`
    mark = ',\n'
  }
  yield '\n  ]'
}

/** What stands around a value two and four spaces deep: it is made within as many lists, which are cut off. */
const AT_2 = { before: '[\n  '.length, after: -'\n]'.length }
const AT_4 = { before: '[\n  [\n    '.length, after: -'\n  ]\n]'.length }
