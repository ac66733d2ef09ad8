// Our events beside tshark's reading of 1,150 real captures, in ../shared/captures. It takes minutes and decodes
// everything there: RUN_AGREEMENT=1 runs it, otherwise it says that it did not.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, resolve } from 'node:path'

const COMPARISON = resolve('../shared/captures/agree.py')
const TIMEOUT_MILLIS = 600_000

const whyNot =
  process.env.RUN_AGREEMENT !== '1'
    ? 'RUN_AGREEMENT=1 is not set'
    : existsSync(COMPARISON)
      ? undefined
      : '../shared/captures is not here'

test(
  'events agree with tshark',
  () => {
    if (whyNot !== undefined) {
      console.log(`agreement with tshark: not run, ${whyNot}`)
      return
    }
    // Built beside the shared output, which somebody else may be writing.
    const directory = mkdtempSync(join(tmpdir(), 'tunnelscope-agreement-'))
    try {
      const out = join(directory, 'dist')
      const compiler = resolve('node_modules/.bin/tsc')
      spawnSync(compiler, ['-p', 'src/tsconfig.json', '--outDir', out, '--tsBuildInfoFile', join(out, '.info')])
      symlinkSync(resolve('node_modules'), join(directory, 'node_modules'))
      writeFileSync(join(directory, 'package.json'), '{"type":"module","name":"tunnelscope","version":"0.0.0"}')
      const { stdout, status } = spawnSync(
        COMPARISON,
        [
          ...['--exceptions', resolve('test/agree-exceptions.tsv')],
          ...['--', process.execPath, join(out, 'cli/main.js'), 'events'],
        ],
        { encoding: 'utf8', maxBuffer: 1 << 26 },
      )
      console.log(stdout)
      expect({ status, last: stdout.trim().split('\n').at(-1) }).toEqual({ status: 0, last: 'agrees' })
    } finally {
      rmSync(directory, { recursive: true })
    }
  },
  TIMEOUT_MILLIS,
)
