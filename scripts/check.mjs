// `npm run check`: everything that must hold before a change goes in. Each step is named; one failure fails the whole.
//   --without-tests   for a caller that has just run the same tests itself
import { spawnSync } from 'node:child_process'
import { PROJECT_ROOT } from './source-tree.mjs'

const bin = (name) => `node_modules/.bin/${name}`

const STEPS = [
  { name: 'types', command: [bin('tsc'), '-b'] },
  { name: 'test types', command: [bin('tsc'), '-p', 'test'] },
  { name: 'format', command: [bin('biome'), 'check', '--error-on-warnings', '.'] },
  { name: 'lint', command: [bin('oxlint'), '--deny-warnings'] },
  { name: 'layers', command: [process.execPath, 'scripts/check-layers.mjs'] },
  { name: 'exports', command: [process.execPath, 'scripts/check-exports.mjs'] },
  { name: 'hot path', command: [process.execPath, 'scripts/check-hot-path.mjs'] },
  { name: 'findings', command: [process.execPath, 'scripts/check-findings.mjs'] },
  { name: 'tests', command: ['npm', 'test', '--silent'] },
]

const withoutTests = process.argv.includes('--without-tests')
const unknown = process.argv.slice(2).filter((argument) => argument !== '--without-tests')
if (unknown.length > 0) {
  console.error(`check: unknown option ${unknown[0]}; it knows --without-tests`)
  process.exit(2)
}

const results = STEPS.map(({ name, command: [program, ...args] }) => {
  if (withoutTests && name === 'tests') return { name, outcome: 'left out by --without-tests' }
  console.log(`\n== ${name}`)
  const startMillis = performance.now()
  const { status, error } = spawnSync(program, args, { cwd: PROJECT_ROOT, stdio: 'inherit' })
  if (error !== undefined) console.error(`check: ${program} cannot be started (${error.code}); has npm install run?`)
  const seconds = ((performance.now() - startMillis) / 1000).toFixed(1)
  return { name, failed: status !== 0, outcome: `${status === 0 ? 'ok' : 'FAILED'}, ${seconds} s` }
})

console.log('\n== summary')
for (const { name, outcome } of results) console.log(`${name.padEnd(10)} ${outcome}`)
if (results.some(({ failed }) => failed)) process.exitCode = 1
