// Keeps files whose header says HOT PATH free of everything that allocates, throws or hides work per packet.
// Free are module level, constructors, `create…` factories (not what they return) and functions under a `COLD PATH:` comment.
import { filesBelow, parseFile, runAsProgram } from './source-tree.mjs'

const FORBIDDEN_NODES = {
  ArrayExpression: 'array literal',
  ArrayPattern: 'array destructuring (an iterator)',
  AwaitExpression: 'await',
  ForInStatement: 'for-in',
  ForOfStatement: 'for-of (an iterator)',
  NewExpression: 'new',
  ObjectExpression: 'object literal',
  RestElement: 'rest element',
  SpreadElement: 'spread',
  TaggedTemplateExpression: 'template string',
  TemplateLiteral: 'template string',
  ThrowStatement: 'throw',
  TryStatement: 'try',
  YieldExpression: 'yield',
}

const FORBIDDEN_METHODS = new Set(
  `concat entries every filter find findIndex flat flatMap forEach from join keys map of reduce slice some sort splice split
  subarray toString values bind apply call getBigInt64 getBigUint64 setBigInt64 setBigUint64`.split(/\s+/),
)

/** Array methods whose callback runs while they do: as part of set-up code it is set-up code. */
const CALLS_BACK_AT_ONCE = new Set(['every', 'filter', 'find', 'flatMap', 'forEach', 'from', 'map', 'reduce', 'some'])

const FUNCTION_TYPES = ['ArrowFunctionExpression', 'FunctionDeclaration', 'FunctionExpression']

/** `{violations, fileCount}`; fileCount is the number of files marked HOT PATH. */
export function checkHotPath(root) {
  const violations = []
  let fileCount = 0
  for (const path of filesBelow(root, 'src', '.ts')) {
    const file = parseFile(root, path)
    if (!headerOf(file).includes('HOT PATH')) continue
    fileCount++
    checkOutside(file, file.program, violations, '')
  }
  return { violations, fileCount }
}

/** The line comments before the first statement. */
function headerOf(file) {
  const firstAt = file.program.body[0]?.start ?? file.text.length
  return file.comments
    .filter((comment) => comment.end <= firstAt && comment.type === 'Line')
    .map((comment) => comment.value)
    .join('\n')
}

/** Code that runs once: looks for the functions in it that run per packet. */
function checkOutside(file, node, violations, name) {
  // V8 keeps such an object as a hash table, through which every later read and call goes.
  if (node.type === 'Property' && node.kind === 'get') {
    violations.push(`${place(file, node)}: getter in an object literal; publish a field`)
  }
  if (FUNCTION_TYPES.includes(node.type)) {
    if (/^create([A-Z]|$)/.test(name) || name === 'constructor') {
      if (node.body !== null) checkOutside(file, node.body, violations, '')
    } else if (!isCold(file, node)) {
      if (node.async || node.generator)
        violations.push(`${place(file, node)}: async or generator function on the hot path`)
      for (const parameter of node.params) checkInside(file, parameter, violations)
      if (node.body !== null) checkInside(file, node.body, violations)
    }
    return
  }
  const runsNow = node.type === 'CallExpression' && CALLS_BACK_AT_ONCE.has(node.callee.property?.name)
  for (const child of childrenOf(node)) {
    if (runsNow && FUNCTION_TYPES.includes(child.type)) checkOutside(file, child.body, violations, '')
    else checkOutside(file, child, violations, nameOf(child) ?? nameOf(node) ?? '')
  }
}

/** What a function is called: by itself, or by the variable, property or method it stands in. */
function nameOf(node) {
  return node.id?.name ?? node.key?.name
}

/** Code that runs per packet. */
function checkInside(file, node, violations) {
  const what = forbidden(node)
  if (what !== undefined) violations.push(`${place(file, node)}: ${what} on the hot path`)
  if (FUNCTION_TYPES.includes(node.type)) return
  for (const child of childrenOf(node)) checkInside(file, child, violations)
}

function forbidden(node) {
  if (FORBIDDEN_NODES[node.type] !== undefined) return FORBIDDEN_NODES[node.type]
  if (FUNCTION_TYPES.includes(node.type)) return 'closure'
  if (node.type === 'Literal' && node.regex !== undefined) return 'regular expression'
  if (node.type === 'Literal' && node.bigint !== undefined) return 'BigInt'
  if (node.type === 'BinaryExpression' && node.operator === '+' && (isText(node.left) || isText(node.right))) {
    return 'string concatenation'
  }
  if (node.type !== 'CallExpression') return undefined
  if (node.callee.name === 'BigInt' || node.callee.name === 'String') return `${node.callee.name}()`
  const method = node.callee.type === 'MemberExpression' ? node.callee.property.name : undefined
  return FORBIDDEN_METHODS.has(method) ? `.${method}()` : undefined
}

function isText(node) {
  return node.type === 'Literal' && typeof node.value === 'string'
}

/** A comment that holds `COLD PATH:` and a reason ends on the line above the function. */
function isCold(file, node) {
  const line = file.lineAt(node.start)
  return file.comments.some((comment) => /COLD PATH: \S/.test(comment.value) && file.lineAt(comment.end) === line - 1)
}

function place(file, node) {
  return `${file.path}:${file.lineAt(node.start)}`
}

/** Child nodes that exist at run time: types are left out. */
function childrenOf(node) {
  const children = []
  for (const value of Object.values(node)) {
    for (const item of Array.isArray(value) ? value : [value]) {
      if (item === null || typeof item !== 'object' || typeof item.type !== 'string') continue
      if (!item.type.startsWith('TS') || item.expression !== undefined) children.push(item)
    }
  }
  return children
}

runAsProgram(import.meta.url, 'hot path', checkHotPath)
