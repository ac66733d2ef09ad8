// Who may import whom in src. The table below is docs/architecture.md's picture; type imports count as imports.
import { posix } from 'node:path'
import { filesBelow, parseFile, runAsProgram, walk } from './source-tree.mjs'

/** Folder of src, and what it may import beside itself: a folder, or one file of it. */
const MAY_IMPORT = {
  constants: [],
  model: ['constants'],
  capture: ['model', 'constants'],
  decoders: ['model', 'constants'],
  text: ['model', 'constants'],
  analysis: ['decoders', 'text', 'model', 'constants'],
  store: ['text', 'model', 'constants'],
  api: ['store/reader.ts', 'text', 'model', 'constants'],
  daemon: ['api', 'store', 'analysis', 'decoders', 'capture', 'text', 'model', 'constants'],
  check: ['daemon', 'analysis', 'capture', 'text', 'model', 'constants'],
  cli: ['check', 'daemon', 'api', 'store', 'analysis', 'decoders', 'capture', 'text', 'model', 'constants'],
  web: ['api/messages.ts', 'text', 'model', 'constants'],
}

/** What speaks to the network. One folder sends packets; the API listens, and its clients ask it, by node:http and node:net. */
const SENDS = ['node:dgram', 'node:dns', 'node:http2', 'node:https', 'node:tls']
const MAY_SEND = 'check'

/** Runs in a browser: no package, no `node:`; of what is shared with the service only the types, for the values need packages. */
const BROWSER = 'web'
const TYPES_ONLY = 'src/api/messages.ts'

/** Same bytes in, same findings out: no package, no platform, no clock, no chance. */
const PURE = ['constants', 'model', 'decoders', 'analysis', 'text']
const IMPURE_GLOBALS = new Set([
  'Buffer',
  'crypto',
  'fetch',
  'performance',
  'process',
  'queueMicrotask',
  'setImmediate',
  'setInterval',
  'setTimeout',
])

/** `{violations, fileCount}` of the tree whose `src` lies in `root`. */
export function checkLayers(root) {
  const paths = filesBelow(root, 'src', '.ts')
  const known = new Set(paths)
  const violations = []
  const graph = new Map()
  for (const path of paths) {
    const file = parseFile(root, path)
    const targets = []
    graph.set(path, targets)
    for (const { specifier, offset, isType } of importsOf(file)) {
      const where = `${path}:${file.lineAt(offset)}`
      if (specifier === undefined) violations.push(`${where}: import() of something that is not a plain string`)
      else if (specifier.startsWith('.')) {
        const target = posix.join(posix.dirname(path), specifier)
        const problem = ownImportProblem(path, target, known)
        if (problem !== undefined) violations.push(`${where}: ${problem}`)
        else if (folderOf(path) === BROWSER && target === TYPES_ONLY && !isType) {
          violations.push(`${where}: web may import only types of '${target}'`)
        }
        if (known.has(target)) targets.push(target)
      } else if (PURE.includes(folderOf(path))) {
        violations.push(`${where}: ${folderOf(path)} is pure and may not import '${specifier}'; have it handed in`)
      } else if (SENDS.includes(specifier) && folderOf(path) !== MAY_SEND) {
        violations.push(
          `${where}: only ${MAY_SEND} sends packets, so that ${folderOf(path)} may not import '${specifier}'`,
        )
      } else if (folderOf(path) === BROWSER) {
        violations.push(`${where}: web runs in a browser, where there is no '${specifier}'`)
      }
    }
    if (PURE.includes(folderOf(path))) violations.push(...impureUses(file))
  }
  for (const cycle of cyclesOf(graph)) violations.push(`${cycle[0]}: import cycle ${[...cycle, cycle[0]].join(' -> ')}`)
  return { violations, fileCount: paths.length }
}

/** The first folder below src; a file directly in src is its own layer and may be imported by nobody. */
function folderOf(path) {
  return path.split('/')[1]
}

function ownImportProblem(path, target, known) {
  if (!target.endsWith('.ts')) return `'${target}' is imported without its .ts extension`
  if (!target.startsWith('src/')) return `'${target}' lies outside src`
  if (!known.has(target)) return `'${target}' does not exist`
  const from = folderOf(path)
  const to = folderOf(target)
  if (from === to) return undefined
  const allowed = MAY_IMPORT[from]
  if (allowed === undefined) return `folder '${from}' is not in the import table`
  if (allowed.includes(to) || allowed.some((entry) => `src/${entry}` === target)) return undefined
  return `${from} may not import ${to} ('${target}')`
}

/** Every import, re-export, import() and import type of a file, with its place. */
function importsOf(file) {
  const found = []
  walk(file.program, (node) => {
    const source = node.type === 'TSImportType' ? (node.source ?? node.argument) : node.source
    if (source === undefined || source === null || !/^(Import|Export|TSImport)/.test(node.type)) return
    const literal = source.type === 'TSLiteralType' ? source.literal : source
    found.push({
      specifier: typeof literal.value === 'string' ? literal.value : undefined,
      offset: node.start,
      isType: node.type === 'TSImportType' || node.importKind === 'type' || node.exportKind === 'type',
    })
  })
  return found
}

/** Clocks, randomness and platform globals that a pure file uses. */
function impureUses(file) {
  const violations = []
  const say = (node, what) =>
    violations.push(`${file.path}:${file.lineAt(node.start)}: ${folderOf(file.path)} is pure and may not use ${what}`)
  walk(file.program, (node) => {
    if (node.type === 'NewExpression' && node.callee.name === 'Date' && node.arguments.length === 0)
      say(node, 'new Date()')
    if (node.type !== 'MemberExpression' || node.computed) return
    const name = `${node.object.name}.${node.property.name}`
    if (name === 'Date.now' || name === 'Math.random') say(node, name)
    else if (node.object.type === 'Identifier' && IMPURE_GLOBALS.has(node.object.name)) say(node, node.object.name)
  })
  walk(file.program, (node) => {
    if (node.type !== 'CallExpression' || node.callee.type !== 'Identifier') return
    if (IMPURE_GLOBALS.has(node.callee.name)) say(node, `${node.callee.name}()`)
  })
  return violations
}

/** Groups of files that import each other (Tarjan's strongly connected components), each as one path around. */
function cyclesOf(graph) {
  const order = new Map()
  const low = new Map()
  const stack = []
  const cycles = []
  const visit = (path) => {
    order.set(path, order.size)
    low.set(path, order.get(path))
    stack.push(path)
    for (const target of graph.get(path)) {
      if (!order.has(target)) {
        visit(target)
        low.set(path, Math.min(low.get(path), low.get(target)))
      } else if (stack.includes(target)) low.set(path, Math.min(low.get(path), order.get(target)))
    }
    if (low.get(path) !== order.get(path)) return
    const group = stack.splice(stack.indexOf(path))
    if (group.length > 1 || graph.get(path).includes(path)) cycles.push(shortestWayAround(graph, group))
  }
  for (const path of graph.keys()) if (!order.has(path)) visit(path)
  return cycles
}

function shortestWayAround(graph, group) {
  const start = [...group].sort()[0]
  const queue = [[start]]
  const seen = new Set()
  for (const way of queue) {
    for (const target of graph.get(way.at(-1))) {
      if (target === start) return way
      if (!group.includes(target) || seen.has(target)) continue
      seen.add(target)
      queue.push([...way, target])
    }
  }
  return group
}

runAsProgram(import.meta.url, 'layers', checkLayers)
