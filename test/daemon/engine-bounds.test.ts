// Flags of V8 hold for a whole process: each story is told in one of its own.
import { spawnSync } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const HOOKS = pathToFileURL(join(ROOT, 'test/capture/typescript-hooks.mjs')).href
const MODULE = pathToFileURL(join(ROOT, 'src/daemon/engine-bounds.ts')).href

/** The young generation's size in MiB after much short-lived work, with `boundYoung` called in between. */
function youngMebibytes(prepare: string): number {
  const story = `
    import { getHeapSpaceStatistics } from 'node:v8'
    import { createYoungGenerationBound } from ${JSON.stringify(MODULE)}
    let boundYoung = () => {}
    ${prepare}
    const kept = []
    for (let i = 0; i < 3_000_000; i++) {
      kept[i % 30_000] = { number: i, list: [i] }
      if (i % 4096 === 0) boundYoung()
    }
    const young = getHeapSpaceStatistics().find((space) => space.space_name === 'new_space')
    console.log(young.space_size / 2 ** 20)`
  const args = ['--disable-warning=ExperimentalWarning', '--import', HOOKS, '--input-type=module', '-e', story]
  const { stdout, stderr, status } = spawnSync(process.execPath, args, { encoding: 'utf8' })
  expect([status, stderr]).toEqual([0, ''])
  return Number(stdout)
}

test('the young generation stops growing at half of what V8 allows', () => {
  expect(youngMebibytes('')).toBe(32)
  expect(youngMebibytes('boundYoung = createYoungGenerationBound()')).toBe(16)
})
