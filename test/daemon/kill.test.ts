// kill -9 under load: what a client was shown is in the store, the store is whole, and a client that comes back gets
// every stored finding once. KILL_ROUNDS=200 (npm run test:kill) is the long form.
import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import { createClient, type StreamHandle } from '../../src/api/client.ts'
import type { Finding } from '../../src/model/finding.ts'
import { openReader } from '../../src/store/reader.ts'
import { compiled } from '../support/compiled.ts'

const ROUNDS = Number(process.env.KILL_ROUNDS ?? 10)
/** Later rounds on one store would only make the last check slower. */
const ROUNDS_PER_STORE = 20

const LAST_SEED = 999_999

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tunnelscope-kill-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const identity = (finding: Finding) => `${finding.epoch} ${finding.key}`

async function startTarget(seed: number): Promise<ChildProcess> {
  const child = spawn(process.execPath, [compiled('test/support/kill-target.ts'), folder, `${seed}`], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise<void>((resolve, reject) => {
    child.stdout!.once('data', () => resolve())
    child.once('exit', (code) => reject(new Error(`the service ended with ${code}`)))
  })
  return child
}

function storedCounts(): Map<string, number> {
  const db = new Database(join(folder, 'data', 'store.db'))
  expect(db.pragma('integrity_check', { simple: true })).toBe('ok')
  const rows = db.prepare('SELECT epoch, key, count, body FROM findings').all() as {
    epoch: number
    key: string
    count: number
    body: string
  }[]
  db.close()
  return new Map(rows.map((row) => [`${row.epoch} ${row.key}`, row.count]))
}

const stores = Math.ceil(ROUNDS / ROUNDS_PER_STORE)
test.each(Array.from({ length: stores }, (_, index) => index))(
  `store %i of ${stores}, ${Math.min(ROUNDS, ROUNDS_PER_STORE)} kills each`,
  async (store) => {
    /** Highest count each finding was shown with. */
    const shown = new Map<string, number>()
    const seqs = new Set<number>()
    const twice: number[] = []
    let received = 0
    const rounds = Math.min(ROUNDS_PER_STORE, ROUNDS - store * ROUNDS_PER_STORE)
    let follower: StreamHandle | undefined
    for (let round = 0; round < rounds; round++) {
      const child = await startTarget(1 + store * 1000 + round)
      follower ??= createClient({ socketPath: join(folder, 'api.sock') }).stream(
        { after: 0 },
        {
          message(message) {
            if (message.type !== 'finding') return
            received++
            if (seqs.has(message.seq)) twice.push(message.seq)
            seqs.add(message.seq)
            shown.set(identity(message.finding as Finding), message.finding.count)
          },
          failed: (error) => {
            throw error
          },
        },
      )
      const before = received
      const wait = 50 + Math.random() * 400
      await new Promise((resolve) => setTimeout(resolve, wait))
      while (received === before) await new Promise((resolve) => setTimeout(resolve, 5))
      const exited = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await exited
      // What the kernel still holds of the socket arrives.
      await new Promise((resolve) => setTimeout(resolve, 30))
      const stored = storedCounts()
      expect([...shown].filter(([key, count]) => !(stored.get(key)! >= count))).toEqual([])
    }

    // One that comes back after the last kill has everything the store has, each finding's last state once.
    const last = await startTarget(LAST_SEED)
    const caughtUp = openReader(join(folder, 'data', 'store.db'))
    const goal = caughtUp.lastSeq()
    while (follower!.lastSeq() < goal) await new Promise((resolve) => setTimeout(resolve, 10))
    const fresh = new Map<string, number>()
    const freshSeqs: number[] = []
    const again = createClient({ socketPath: join(folder, 'api.sock') }).stream(
      { after: 0 },
      {
        message(message) {
          if (message.type !== 'finding') return
          freshSeqs.push(message.seq)
          fresh.set(identity(message.finding as Finding), message.finding.count)
        },
        failed: (error) => {
          throw error
        },
      },
    )
    while (again.lastSeq() < goal) await new Promise((resolve) => setTimeout(resolve, 10))
    again.close()
    follower!.close()
    const exited = new Promise((resolve) => last.once('exit', resolve))
    last.kill('SIGKILL')
    await exited
    const stored = storedCounts()
    caughtUp.close()
    expect(new Set(freshSeqs).size).toBe(freshSeqs.length)
    expect(twice).toEqual([])
    // The last service went on storing after both clients had left.
    const settled = [...stored].filter(([key]) => !key.includes(` ${LAST_SEED} `))
    expect(settled.filter(([key, count]) => shown.get(key) !== count || fresh.get(key) !== count)).toEqual([])
    console.log(
      `store ${store}: ${rounds} kills, ${received} findings received, ${stored.size} stored, 0 lost, 0 twice`,
    )
  },
  300_000,
)
