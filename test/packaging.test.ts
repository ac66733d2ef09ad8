// What a package carries: the man page and the completion know every command, the npm package has all that runs.
import { spawnSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { compiled } from './support/compiled.ts'
import { sayNotRun } from './support/not-run.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const hasBash = spawnSync('bash', ['--version']).status === 0

/** Commands that the help shows. */
function commands(): string[] {
  const { stdout } = spawnSync(process.execPath, [compiled('src/cli/main.ts'), '--help'], { encoding: 'utf8' })
  return [...stdout.slice(stdout.indexOf('Commands:')).matchAll(/^ {2}([a-z-]+)/gm)]
    .map((match) => match[1]!)
    .filter((name) => name !== 'help')
}

test('the man page has every command and no other', () => {
  const page = readFileSync(`${root}docs/tunnelscope.1`, 'utf8').replaceAll('\\-', '-')
  const section = page.slice(page.indexOf('.SH COMMANDS'), page.indexOf('.SH SIGNALS'))
  const named = [...section.matchAll(/\n\.TP\n\.B ([^\n]+)/g)]
    .flatMap((match) => match[1]!.split('\\fR, \\fB'))
    .map((words) => /^[a-z-]+/.exec(words)![0])
  expect(named.sort()).toEqual(commands().sort())
})

test('the npm package carries the program, the sources of the addon and nothing that was built on the way', () => {
  const words = ['pack', '--dry-run', '--json', '--ignore-scripts']
  const { stdout } = spawnSync('npm', words, { cwd: root, encoding: 'utf8' })
  const files = (JSON.parse(stdout) as { files: { path: string }[] }[])[0]!.files.map(({ path }) => path)
  for (const file of [
    'package.json',
    'native/binding.gyp',
    'native/build.mjs',
    'native/src/addon.cc',
    'packaging/tunnelscope.toml',
    'docs/tunnelscope.1',
    'src/web/index.html',
    'src/web/page.css',
    'src/web/icon.svg',
    'examples/leak.pcapng',
    'dist/cli/main.js',
    'dist/api/client.d.ts',
  ]) {
    expect(files).toContain(file)
  }
  expect(
    files.filter((file) => /^(test|bench|native\/build\/|native\/test|src\/.*\.ts$|examples\/.*\.ts$)/.test(file)),
  ).toEqual([])
  expect(files.filter((file) => /\.map$|tsbuildinfo|golden/.test(file))).toEqual([])
})

if (!hasBash) {
  test('the completion did not run', () => sayNotRun('the completion', 'bash'))
} else {
  test('the completion offers commands, then their flags, then files', () => {
    const complete = (...words: string[]) => {
      const script = `
        tunnelscope() { '${process.execPath}' '${compiled('src/cli/main.ts')}' "$@"; }
        source '${root}packaging/tunnelscope.bash'
        COMP_WORDS=(tunnelscope ${words.map((word) => `'${word}'`).join(' ')})
        COMP_CWORD=${words.length}
        _tunnelscope
        printf '%s\\n' "\${COMPREPLY[@]}"`
      return spawnSync('bash', ['-c', script], { encoding: 'utf8', cwd: root }).stdout.trim().split('\n')
    }
    expect(complete('do')).toEqual(['doctor'])
    expect(complete('')).toEqual(expect.arrayContaining(commands()))
    expect(complete('export', '--f')).toEqual(['--finding'])
    expect(complete('check', '--ipv')).toEqual(['--ipv4', '--ipv6'])
    // In daemon's help, but in a sentence about another command's.
    expect(complete('daemon', '--js')).toEqual([''])
    expect(complete('help', 'pack')).toEqual(['packets'])
    expect(complete('analyze', 'packag')).toEqual(expect.arrayContaining(['packaging']))
  })
}
