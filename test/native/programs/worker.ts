// A capture in a worker that never ends by itself.
import { parentPort } from 'node:worker_threads'
import { ContextWatch } from '../../../src/capture/context-watch.ts'
import { RingSource } from '../../../src/capture/ring-source.ts'

const links = new ContextWatch()
const source = new RingSource({ links, ringLen: 4 << 20 })
parentPort!.postMessage('capturing')
for (;;) {
  const batch = await source.next()
  if (batch === undefined) break
  batch.release()
}
