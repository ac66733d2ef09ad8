// Gives up its rights as the daemon does, then prints who it is: every thread's rights, what it can read and write, and
// whether the ring opens on the socket it was handed. Argument: ServiceStart as JSON, with `read` and `write` lists to try.
import { accessSync, constants, writeFileSync } from 'node:fs'
import { Worker } from 'node:worker_threads'
import { ContextWatch } from '../../../src/capture/context-watch.ts'
import { RingSource } from '../../../src/capture/ring-source.ts'
import { enterService, inheritedPath, takeInherited, threadRights } from '../../../src/daemon/privileges.ts'
import { OperatorError } from '../../../src/model/operator-error.ts'

const start = JSON.parse(process.argv[2]!)
const can = (path: string, mode: number) => {
  try {
    accessSync(path, mode)
    return true
  } catch {
    return false
  }
}

try {
  const inherited = takeInherited()
  if (inherited === undefined) enterService(start)
  for (const file of start.files) writeFileSync(inheritedPath(inherited, file), 'written')
  const worker = new Worker('setTimeout(() => {}, 1e6)', { eval: true })
  await new Promise((resolve) => worker.once('online', resolve))
  let received = -1
  let again = ''
  const watch = new ContextWatch()
  if (inherited?.socket !== undefined) {
    const source = new RingSource({ links: watch, socket: inherited.socket, tickMillis: 300 })
    console.log('ready')
    received = 0
    for (const end = Date.now() + 1500; Date.now() < end && received === 0; ) received += (await source.next())!.count
    await source.close()
  }
  try {
    await new RingSource({ links: watch }).close()
    again = 'opened'
  } catch (error) {
    again = (error as OperatorError).code
  }
  watch.close()
  const report = {
    isSecondImage: inherited !== undefined,
    notice: inherited?.notice,
    leftInEnvironment: process.env.TUNNELSCOPE_INHERITED,
    threads: threadRights(),
    received,
    again,
    readable: start.read.filter((path: string) => can(path, constants.R_OK)),
    writable: start.write.filter((path: string) => can(path, constants.W_OK)),
  }
  console.log(JSON.stringify(report, (_, value) => (typeof value === 'bigint' ? value.toString(16) : value)))
  process.exit(0)
} catch (error) {
  if (!(error instanceof OperatorError)) throw error
  console.log(JSON.stringify({ refused: error.code, sentence: error.message }))
  process.exit(2)
}
