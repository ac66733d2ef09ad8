// Builds the addon with the node-gyp that npm carries. `--prebuilt` only puts the built one where a package carries it. `--optional`, as npm's install hook calls it: a machine without
// a compiler keeps everything but live capture, so the failure is one sentence and not an error.
import { spawnSync } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'

const optional = process.argv.includes('--optional')
const directory = fileURLToPath(new URL('.', import.meta.url))
const prebuilt = fileURLToPath(
  new URL(`prebuilds/${process.platform}-${process.arch}/tunnelscope.node`, import.meta.url),
)

const built = fileURLToPath(new URL('build/Release/tunnelscope.node', import.meta.url))

if (optional && (process.platform !== 'linux' || loads(prebuilt))) process.exit(0)
if (process.argv.includes('--prebuilt')) {
  if (process.platform === 'linux' && !existsSync(built)) {
    console.error('tunnelscope: native/build holds no addon; run: npm run build:native')
    process.exit(1)
  }
  if (existsSync(built)) {
    mkdirSync(dirname(prebuilt), { recursive: true })
    copyFileSync(built, prebuilt)
  }
  process.exit(0)
}

const result = spawnSync(process.execPath, [nodeGyp(), 'rebuild', '--directory', directory], {
  stdio: optional ? 'pipe' : 'inherit',
  encoding: 'utf8',
})
if (result.status === 0) process.exit(0)
if (!optional) process.exit(1)
console.error(
  'tunnelscope: the live capture addon was not built (it needs a C++ compiler, make and python3); reading capture files works. Build it later with: npm run build:native',
)

/** A prebuilt addon of another C library is there and does not load. */
function loads(path) {
  return existsSync(path) && spawnSync(process.execPath, ['-e', 'require(process.argv[1])', path]).status === 0
}

/** npm tells its own copy; without npm the development dependency serves. */
function nodeGyp() {
  return process.env.npm_config_node_gyp ?? createRequire(import.meta.url).resolve('node-gyp/bin/node-gyp.js')
}
