// Reads and parses the source tree for the checks beside it. TypeScript 7 has no JavaScript API; oxc parses instead.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseSync } from 'oxc-parser'

/** The project's own root: what the checks look at when nothing else is named. */
export const PROJECT_ROOT = fileURLToPath(new URL('..', import.meta.url))

/** All files below `folder` whose name ends with `suffix`, relative to `root` with `/`, sorted; none when it is not there. */
export function filesBelow(root, folder, suffix) {
  const top = join(root, folder)
  if (!existsSync(top)) return []
  return readdirSync(top, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(suffix))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .sort()
}

/**
 * One parsed file: `{path, text, program, module, comments, lineAt(offset)}`; `program` is an ESTree.
 * @throws Error when the file is not valid TypeScript.
 */
export function parseFile(root, path) {
  const text = readFileSync(join(root, path), 'utf8')
  const { program, module, comments, errors } = parseSync(path, text)
  if (errors.length > 0) throw new Error(`${path}: ${errors[0].message}`)
  return { path, text, program, module, comments, lineAt: (offset) => text.slice(0, offset).split('\n').length }
}

/** Calls `visit(node, parents)` for every node below `node`, outermost first; `parents` is valid during the call. */
export function walk(node, visit, parents = []) {
  visit(node, parents)
  parents.push(node)
  for (const value of Object.values(node)) {
    if (Array.isArray(value)) {
      for (const item of value) if (isNode(item)) walk(item, visit, parents)
    } else if (isNode(value)) walk(value, visit, parents)
  }
  parents.pop()
}

function isNode(value) {
  return value !== null && typeof value === 'object' && typeof value.type === 'string'
}

/**
 * Runs a check when its file was started as a program: prints one message a violation, or `summary(count of files)`.
 * `check(root)` gives `{violations: string[], fileCount}`. Exit status 1 when there are violations.
 */
export function runAsProgram(moduleUrl, name, check) {
  if (process.argv[1] !== fileURLToPath(moduleUrl)) return
  const { violations, fileCount } = check(process.argv[2] ?? PROJECT_ROOT)
  for (const violation of violations) console.log(violation)
  console.log(`${name}: ${violations.length === 0 ? 'ok' : `${violations.length} violations`}, ${fileCount} files`)
  if (violations.length > 0) process.exitCode = 1
}
