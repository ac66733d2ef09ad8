// Captures whole, cut and mutated, through reader, decoders and analysis, in one process: no crash, no hang, no
// over-read, memory flat. Short here; `npm run fuzz` is the long form. What fails is kept in test/fuzz/failures.
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { filesBelow } from '../../scripts/source-tree.mjs'
import { drive } from './drive.ts'
import { cutOffsets, mutate } from './mutate.ts'
import { createWatchdog } from './watchdog.ts'

const ROOT = dirname(dirname(dirname(fileURLToPath(import.meta.url))))
const FAILURES = join(ROOT, 'test/fuzz/failures')
const SHARED = join(ROOT, '../shared/captures')

const LONG = process.env.FUZZ === 'long'
/** Another seed is another run: `FUZZ_SEED=2 npm run fuzz`. */
const SEED = Number(process.env.FUZZ_SEED ?? 1)
const PLAN = LONG
  ? { cuts: Number(process.env.FUZZ_CUTS ?? 200), mutations: Number(process.env.FUZZ_MUTATIONS ?? 1000) }
  : { cuts: 8, mutations: 24 }

/** A second per megabyte, and a second for small files, whose time is the machine's mood. */
const SECONDS_PER_MEGABYTE = 1
const HANG_MILLIS = 60_000
/** Retained bytes may differ by what caches and the test runner keep, not by the number of inputs. */
const MEMORY_SLACK = 48 << 20

const captures = [
  ...filesBelow(ROOT, 'examples', '').filter((path) => /\.pcap(ng)?$/.test(path)),
  ...filesBelow(ROOT, 'test/fixtures', '').filter((path) => /\.pcap(ng)?(\.gz|\.zst)?$/.test(path)),
  ...filesBelow(ROOT, 'test/fuzz/failures', '.cap'),
].map((path) => join(ROOT, path))

if (LONG) {
  if (existsSync(join(SHARED, 'LIST.txt'))) {
    const list = readFileSync(join(SHARED, 'LIST.txt'), 'utf8').trim().split('\n')
    const part = Number(process.env.FUZZ_EVERY ?? 1)
    captures.push(...list.filter((_, index) => index % part === 0).map((path) => join(SHARED, path)))
  } else console.log('fuzz: the folder ../shared/captures is not here; the long form runs on made captures only')
}

/** `FUZZ_PART=1/2`: the first, third, fifth … capture. Both parts together do what one run does. */
const [PART, PARTS] = (process.env.FUZZ_PART ?? '1/1').split('/').map(Number) as [number, number]
const chosen = [...captures.entries()].filter(([index]) => index % PARTS === PART - 1)
const PROGRESS_MILLIS = 60_000

test(
  `${chosen.length} captures, each whole, cut at ${PLAN.cuts} offsets and mutated ${PLAN.mutations} times`,
  async () => {
    const folder = mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'fuzz-'))
    const path = join(folder, 'input.cap')
    const watchdog = createWatchdog(path, HANG_MILLIS)
    const failures: string[] = []
    const total = { inputs: 0, packets: 0 }
    let retainedEarly = 0
    let done = 0
    let saidAt = Date.now()

    async function attempt(name: string, bytes: Uint8Array): Promise<void> {
      watchdog.beat()
      writeFileSync(path, bytes)
      // The processor's time: on a busy machine the clock on the wall says nothing about us.
      const start = process.cpuUsage()
      let problem: string | undefined
      try {
        total.packets += await drive(path)
      } catch (error) {
        problem = error instanceof Error ? (error.stack ?? error.message) : String(error)
      }
      total.inputs++
      const { user, system } = process.cpuUsage(start)
      const seconds = (user + system) / 1e6
      if (seconds > SECONDS_PER_MEGABYTE * Math.max(1, bytes.length / 1e6)) problem ??= `took ${seconds.toFixed(1)} s`
      if (problem !== undefined) failures.push(keep(name, bytes, problem))
    }

    /** Past the runner, which holds back what a test logs until it has ended. */
    function say(what: string): void {
      const memory = Math.round(process.memoryUsage().rss / 1e6)
      const { inputs, packets } = total
      writeSync(2, `fuzz: ${what}, ${inputs} inputs, ${packets} packets, ${failures.length} failures, ${memory} MB\n`)
    }

    try {
      for (const [index, capture] of chosen) {
        const bytes = readFileSync(capture)
        const seed = SEED * 1_000_003 + index
        await attempt(capture, bytes)
        for (const at of cutOffsets(bytes.length, PLAN.cuts, seed)) {
          await attempt(`${capture} cut at ${at}`, bytes.subarray(0, at))
        }
        for (let round = 0; round < PLAN.mutations; round++) {
          await attempt(`${capture} mutated with ${seed}/${round}`, mutate(bytes, Math.imul(seed, 65_599) + round))
        }
        // The first tenth warms caches up; from there on memory must not grow with the number of inputs.
        if (done === Math.floor(chosen.length / 10)) retainedEarly = await retainedBytes()
        done++
        if (LONG && Date.now() - saidAt >= PROGRESS_MILLIS) {
          saidAt = Date.now()
          say(`${done} of ${chosen.length} captures`)
        }
        if (failures.length > 20) break
      }
    } finally {
      await watchdog.stop()
      rmSync(folder, { recursive: true })
    }
    if (LONG) say(`${done} captures`)
    expect(failures).toEqual([])
    expect(total.packets).toBeGreaterThan(chosen.length)
    expect((await retainedBytes()) - retainedEarly).toBeLessThan(MEMORY_SLACK)
  },
  LONG ? 4 * 3_600_000 : 180_000,
)

/** Saves the input under its hash, with the story beside it, and gives one line about it. */
function keep(name: string, bytes: Uint8Array, problem: string): string {
  mkdirSync(FAILURES, { recursive: true })
  const stem = join(FAILURES, createHash('sha256').update(bytes).digest('hex').slice(0, 16))
  writeFileSync(`${stem}.cap`, bytes)
  writeFileSync(`${stem}.txt`, `${name}\n${problem}\n`)
  return `${stem}.cap: ${name}: ${problem.split('\n').slice(0, 3).join(' ')}`
}

/**
 * Bytes that survive full collections: heap and the memory of typed arrays. The compiler holds what its waiting jobs are
 * about, and arrays are freed by another thread: both get their turn in between, for as long as it helps.
 */
async function retainedBytes(): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  let least = Number.POSITIVE_INFINITY
  for (let unchanged = 0; unchanged < 5; unchanged++) {
    collect()
    await sleep(100)
    const { heapUsed, arrayBuffers } = process.memoryUsage()
    if (heapUsed + arrayBuffers < least - (1 << 20)) unchanged = 0
    least = Math.min(least, heapUsed + arrayBuffers)
  }
  return least
}
