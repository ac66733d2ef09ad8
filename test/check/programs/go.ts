// Inside a namespace: `go.ts fetch INTERFACE MILLIS URL…` opens each address at once, `go.ts ask INTERFACE RESOLVER NAME…` asks
// for each; prints what came of it, how long it took, and how many descriptors are open afterwards that were not before.
import { readdirSync } from 'node:fs'
import { ask } from '../../../src/check/ask.ts'
import { BoundSockets } from '../../../src/check/bound-sockets.ts'
import { fetchOver } from '../../../src/check/fetch.ts'
import { parseTarget } from '../../../src/check/target.ts'

const [what, interfaceName = '', third = '', ...rest] = process.argv.slice(2)
const { signal } = new AbortController()
const sockets = new BoundSockets('shop.example')
const open = () => readdirSync('/proc/self/fd').length

async function timed<T>(action: () => Promise<T>): Promise<{ made: T; millis: number }> {
  const started = performance.now()
  return { made: await action(), millis: performance.now() - started }
}

const tasks =
  what === 'fetch'
    ? rest.map((url) => () => {
        const target = parseTarget(url)
        return fetchOver(sockets, { target, interfaceName, address: target.host, timeoutMillis: Number(third), signal })
      })
    : rest.map(
        (name) => () =>
          ask(sockets, { address: third, port: 53, over: interfaceName, source: 'given' }, name, 4, signal),
      )

// What Node opens for itself with the first socket.
await new Promise((resolve) => setTimeout(resolve, 50))
const before = open()
const made = await Promise.all(tasks.map((task) => timed<unknown>(task)))
await new Promise((resolve) => setTimeout(resolve, 200))
console.log(JSON.stringify({ made, leftOpen: open() - before, megabytes: process.memoryUsage().rss / 2 ** 20 }))
