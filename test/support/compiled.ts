// Compiled copies of our own files for tests that need another process or thread: those run plain JavaScript, whatever
// `dist` holds at the moment.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { transformSync } from '@swc/core'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))
/** What compiled code looks for at the project's root. */
const BESIDE = ['package.json', 'native', 'examples']
/** Inside node_modules, so that packages are found from there. */
const CACHE = join(ROOT, 'node_modules/.cache/tunnelscope-compiled')
/** Whoever has this serves the page, whose files are linked and not imported. */
const PAGE_SERVER = join(ROOT, 'src/api/page-files.ts')
const PAGE = join(ROOT, 'src/web')
const IMPORT = /(?:from|import)\s*\(?\s*'(\.[^']+)\.ts'|new URL\(\s*'(\.[^']+)\.js'|= '(\.\/[\w-]+-worker)\.js'/g

/**
 * Compiles an entry (`src/daemon/service.ts`) and every own file it needs, threads included; returns the path of the
 * compiled entry. The same sources give the same folder.
 */
export function compiled(entry: string): string {
  const sources = new Map<string, string>()
  collect(join(ROOT, entry), sources)
  if (sources.has(PAGE_SERVER)) collectPage(sources)
  const hash = createHash('sha256')
  for (const [path, text] of [...sources].sort()) hash.update(path).update(text)
  const folder = join(CACHE, hash.digest('hex').slice(0, 16))
  if (!existsSync(folder)) {
    const building = `${folder}.${process.pid}`
    for (const [path, text] of sources) write(building, path, text)
    for (const beside of BESIDE) symlinkSync(join(ROOT, beside), join(building, beside))
    try {
      renameSync(building, folder)
    } catch {
      // Another process was faster; its files are the same.
    }
  }
  return join(folder, relative(ROOT, join(ROOT, entry)).replace(/\.ts$/, '.js'))
}

function collect(path: string, sources: Map<string, string>): void {
  if (sources.has(path)) return
  const text = readFileSync(path, 'utf8')
  sources.set(path, text)
  for (const match of text.matchAll(IMPORT)) {
    const target = join(dirname(path), `${match[1] ?? match[2] ?? match[3]}.ts`)
    if (existsSync(target)) collect(target, sources)
  }
}

function collectPage(sources: Map<string, string>): void {
  collect(join(PAGE, 'main.ts'), sources)
  for (const name of readdirSync(PAGE).filter((file) => /\.(html|css|svg)$/.test(file))) {
    sources.set(join(PAGE, name), readFileSync(join(PAGE, name), 'utf8'))
  }
}

function write(folder: string, path: string, text: string): void {
  if (!path.endsWith('.ts')) {
    const target = join(folder, relative(ROOT, path))
    mkdirSync(dirname(target), { recursive: true })
    writeFileSync(target, text)
    return
  }
  const { code } = transformSync(text, {
    filename: path,
    jsc: { target: 'es2023', parser: { syntax: 'typescript' }, rewriteRelativeImportExtensions: true } as never,
    module: { type: 'es6' },
  })
  const target = join(folder, relative(ROOT, path).replace(/\.ts$/, '.js'))
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(target, code)
}
