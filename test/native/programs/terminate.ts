// Starts workers that wait for packets or drown in them, ends them in the middle, and counts what is left open.
import { readdirSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { Worker } from 'node:worker_threads'

const rounds = Number(process.argv[2] ?? 20)
const open = () => readdirSync('/proc/self/fd').length
const threads = () => readdirSync('/proc/self/task').length
const maps = async () =>
  (await import('node:fs'))
    .readFileSync('/proc/self/maps', 'utf8')
    .split('\n')
    .filter((line) => line.includes('socket:')).length

let before = { fds: 0, threads: 0, maps: 0 }
for (let round = 0; round < rounds; round++) {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), { execArgv: process.execArgv })
  await new Promise((resolve, reject) => {
    worker.once('message', resolve)
    worker.once('error', reject)
  })
  await sleep(round % 3 === 0 ? 0 : 30)
  await worker.terminate()
  if (round === 4) before = { fds: open(), threads: threads(), maps: await maps() }
}
await sleep(100)
console.log(JSON.stringify({ before, after: { fds: open(), threads: threads(), maps: await maps() } }))
