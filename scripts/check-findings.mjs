// Insists that a finding id is one detector file, one test, one fixture folder and one page, and that nothing is left over.
// A finding that the service raises about itself is no detector's and has no packets: one file, one test, one page.
import { existsSync, readdirSync } from 'node:fs'
import { join, posix } from 'node:path'
import { filesBelow, parseFile, runAsProgram, walk } from './source-tree.mjs'

const DETECTORS = 'src/analysis/detectors'
const INDEX = `${DETECTORS}/index.ts`
const OF_THE_SERVICE = 'src/daemon/service-findings'

/** `{violations, fileCount}`; fileCount is the number of finding ids. */
export function checkFindings(root) {
  if (!existsSync(join(root, INDEX))) return { violations: [`${INDEX} is missing`], fileCount: 0 }
  const ids = listedIds(root)
  const ownIds = existsSync(join(root, OF_THE_SERVICE))
    ? filesBelow(root, OF_THE_SERVICE, '.ts').map((path) => posix.basename(path, '.ts'))
    : []
  const violations = []
  const insist = (id, folder, testFolder) => {
    if (existsSync(join(root, folder, `${id}.ts`))) {
      const declared = declaredIds(root, `${folder}/${id}.ts`)
      if (declared.length !== 1 || declared[0] !== id) {
        violations.push(`${folder}/${id}.ts: declares the id ${declared.join(', ') || '(none)'}, not '${id}'`)
      }
    } else violations.push(`${folder}/${id}.ts is missing`)
    for (const path of [`${testFolder}/${id}.test.ts`, `docs/findings/${id}.md`]) {
      if (!existsSync(join(root, path))) violations.push(`${path} is missing`)
    }
  }
  for (const id of ownIds) insist(id, OF_THE_SERVICE, 'test/daemon/service-findings')
  for (const id of ids) {
    if (!/^[a-z0-9]+(-[a-z0-9]+)*$/.test(id)) violations.push(`${INDEX}: '${id}' is not kebab-case`)
    insist(id, DETECTORS, 'test/analysis/detectors')
    if (!hasCapture(join(root, 'test/fixtures', id))) violations.push(`test/fixtures/${id}/ holds no capture`)
  }
  const orphan = (path, id, known = ids) => {
    if (!known.includes(id)) violations.push(`${path}: '${id}' is not in ${INDEX}`)
  }
  for (const path of filesBelow(root, DETECTORS, '.ts')) if (path !== INDEX) orphan(path, posix.basename(path, '.ts'))
  for (const path of filesBelow(root, 'test/analysis/detectors', '.test.ts'))
    orphan(path, posix.basename(path, '.test.ts'))
  for (const path of filesBelow(root, 'docs/findings', '.md'))
    orphan(path, posix.basename(path, '.md'), [...ids, ...ownIds])
  return { violations, fileCount: ids.length + ownIds.length }
}

/** The index imports one file a detector: `./<id>.ts`. */
function listedIds(root) {
  return parseFile(root, INDEX)
    .module.staticImports.map(({ moduleRequest }) => moduleRequest.value)
    .filter((specifier) => specifier.startsWith('./'))
    .map((specifier) => posix.basename(specifier, '.ts'))
    .sort()
}

/** The `id` in every object literal that is called `meta` or whose name ends in `Meta`. */
function declaredIds(root, path) {
  const ids = []
  walk(parseFile(root, path).program, (node) => {
    const name = node.type === 'Property' ? node.key.name : node.type === 'VariableDeclarator' ? node.id.name : ''
    if (!/^meta$|Meta$/.test(name)) return
    const literal = node.type === 'Property' ? node.value : node.init
    if (literal?.type !== 'ObjectExpression') return
    for (const { key, value } of literal.properties) if (key?.name === 'id') ids.push(value.value)
  })
  return ids
}

function hasCapture(folder) {
  return existsSync(folder) && readdirSync(folder).some((name) => /\.pcap(ng)?$/.test(name))
}

runAsProgram(import.meta.url, 'findings', checkFindings)
