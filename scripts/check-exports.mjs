// No export of src is dead: each is used in its own file, or imported in src, by a test or by a program beside them. Of
// all else the compiler says it. Plain numbers are left out: a table of codes stands whole.
import { posix } from 'node:path'
import { filesBelow, parseFile, runAsProgram } from './source-tree.mjs'

/** Who may be a reader of an export. */
const READERS = ['src', 'test', 'scripts', 'bench']
/** What the package offers to others (`exports` of package.json). */
const PUBLIC = ['src/api/client.ts']

/** `{violations, fileCount}` of the tree in `root`. */
export function checkExports(root) {
  const paths = READERS.flatMap((folder) => ['.ts', '.mjs'].flatMap((suffix) => filesBelow(root, folder, suffix)))
  const files = paths.map((path) => parseFile(root, path))
  const imported = new Set(files.flatMap(importsByName))
  const loose = files.filter(takesWholeModules).map(({ path, text }) => ({ path, words: new Set(text.match(/\w+/g)) }))
  const violations = []
  for (const file of files) {
    if (!file.path.startsWith('src/') || PUBLIC.includes(file.path)) continue
    for (const { exportName, start } of file.module.staticExports.flatMap(({ entries }) => entries)) {
      const { name } = exportName
      if (name === null || imported.has(`${file.path} ${name}`) || isUsedWithin(file.text, name)) continue
      if (loose.some(({ path, words }) => path !== file.path && words.has(name))) continue
      violations.push(`${file.path}:${file.lineAt(start)}: '${name}' is exported and nobody uses it`)
    }
  }
  return { violations, fileCount: files.length }
}

/** `path name` of everything that a file imports, or exports again, by name. Programs take it from the compiled tree. */
function importsByName({ path, module }) {
  const named = ({ value }, { name }) =>
    `${posix.join(posix.dirname(path), value).replace(/^dist\/(.*)\.js$/, 'src/$1.ts')} ${name}`
  const again = module.staticExports.flatMap(({ entries }) => entries).filter(({ moduleRequest }) => moduleRequest)
  return [
    ...module.staticImports.flatMap((one) => one.entries.map((entry) => named(one.moduleRequest, entry.importName))),
    ...again.map(({ moduleRequest, importName }) => named(moduleRequest, importName)),
  ]
}

/** By `import()` or `import *`: which of the names it uses is not followed, so that any word of the file counts. */
const takesWholeModules = ({ text, module }) =>
  /\bimport\(/.test(text) ||
  module.staticImports.some(({ entries }) => entries.some(({ importName }) => importName.kind === 'NamespaceObject'))

const isUsedWithin = (text, name) =>
  text.match(new RegExp(`\\b${name}\\b`, 'g')).length > 1 ||
  new RegExp(`^export const ${name} = -?[\\d_]+(x[\\da-f_]+)?$`, 'm').test(text)

runAsProgram(import.meta.url, 'exports', checkExports)
