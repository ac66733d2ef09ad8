// The daemon with its service on a live network: questions, resolvers and what the interfaces carried reach the store, the
// routes and /metrics.
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { request } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openReader } from '../../src/store/reader.ts'
import { canMakeNamespaces, Namespace, sayNotRun } from '../native/namespace.ts'
import { asDatabase, map, number, text } from '../support/as-database.ts'
import { compiled } from '../support/compiled.ts'

const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))
const program = (name: string) => new URL(`./programs/${name}`, import.meta.url).pathname

function get(socketPath: string, path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath, path, headers: { Host: 'localhost' } }, (response) => {
      let body = ''
      response.setEncoding('utf8').on('data', (part: string) => {
        body += part
      })
      response.on('end', () => resolve(body))
    })
    asked.on('error', reject)
    asked.end()
  })
}

if (!canMakeNamespaces) {
  sayNotRun('the tables of the daemon on a live network')
  test('the live tables without namespaces: nothing to run here', () => expect(canMakeNamespaces).toBe(false))
} else {
  test('questions, resolvers and minutes: store, routes, metrics, and they outlive the daemon', async () => {
    const [near, far] = [new Namespace(), new Namespace()]
    const folder = mkdtempSync(join(tmpdir(), 'tunnelscope-tables-'))
    const at = (name: string) => join(folder, name)
    try {
      near.cable('v0', far, 'v1')
      near.ip('addr add 192.0.2.10/24 dev v0')
      far.ip('addr add 192.0.2.53/24 dev v1')
      const server = far.start('python3', [program('answer.py'), '192.0.2.53'])
      const owner = map([
        ['autonomous_system_number', number(64_500)],
        ['autonomous_system_organization', text('Example Net')],
      ])
      const owners = ['--as-database', asDatabase(folder, 192, owner)]
      const files = ['--store', at('state/store.db'), '--socket', at('run/api.sock'), '--config', '/dev/null']
      const paths = [...files, ...owners]
      const daemon = near.start(process.execPath, [compiled('src/cli/main.ts'), 'daemon', '-i', 'v0', ...paths])
      for (let waited = 0; !daemon.errors.includes('watching') || !server.output.includes('answering'); waited++) {
        if (waited === 200) throw new Error(`not ready: ${daemon.errors}`)
        await pause(50)
      }
      const ask = (name: string, type: string) =>
        execFileSync('ip', ['netns', 'exec', near.name, 'dig', '+tries=1', '@192.0.2.53', name, type])
      for (let i = 0; i < 3; i++) ask('www.example', 'A')
      ask('www.example', 'AAAA')
      ask('forbidden.example', 'A')
      await pause(2500)

      const json = async (path: string) => JSON.parse(await get(at('run/api.sock'), path))
      const resolver = { server: '192.0.2.53', port: 53, transport: 'udp', interface: 'v0', side: 'outside', epoch: 1 }
      const { resolvers } = await json('/api/v1/resolvers')
      expect(resolvers).toMatchObject([
        { ...resolver, queries: 5, answered: 5, asn: 64_500, organisation: 'Example Net' },
      ])
      expect(resolvers[0].p50Ms).toBeGreaterThan(10)
      expect(resolvers[0].p50Ms).toBeLessThan(50)

      const { exchanges } = await json('/api/v1/dns?name=example')
      expect(
        exchanges.map(({ name, type, queries, answered, failed }: Record<string, unknown>) => ({
          name,
          type,
          queries,
          answered,
          failed,
        })),
      ).toEqual([
        { name: 'forbidden.example', type: 'A', queries: 1, answered: 1, failed: 1 },
        { name: 'www.example', type: 'AAAA', queries: 1, answered: 1, failed: 0 },
        { name: 'www.example', type: 'A', queries: 3, answered: 3, failed: 0 },
      ])
      expect(await json('/api/v1/dns?name=ample')).toMatchObject({ exchanges: [] })

      const { minutes } = await json('/api/v1/statistics')
      const sum = (field: string) => minutes.reduce((all: number, one: Record<string, number>) => all + one[field]!, 0)
      expect(new Set(minutes.map((one: { interface: string }) => one.interface))).toEqual(new Set(['v0']))
      expect(sum('packets')).toBeGreaterThanOrEqual(10)
      expect(sum('dropped')).toBe(0)

      const metrics = await get(at('run/api.sock'), '/metrics')
      const labels = 'server="192.0.2.53",transport="udp",interface="v0",side="outside"'
      expect(metrics).toContain(`tunnelscope_dns_queries_total{${labels}} 5\n`)
      expect(metrics).toContain(`tunnelscope_dns_answers_total{${labels}} 5\n`)
      expect(metrics).toContain(`tunnelscope_dns_failures_total{${labels}} 1\n`)
      expect(metrics).toContain(`tunnelscope_dns_latency_seconds_bucket{${labels},le="0.01"} 0\n`)
      expect(metrics).toContain(`tunnelscope_dns_latency_seconds_bucket{${labels},le="+Inf"} 5\n`)
      expect(metrics).toContain(`tunnelscope_dns_latency_seconds_count{${labels}} 5\n`)
      expect(metrics).toMatch(/^tunnelscope_interface_packets_total\{interface="v0"\} \d\d+$/m)

      // The last second is not lost when it stops.
      ask('last.example', 'A')
      daemon.child.kill('SIGTERM')
      expect(await daemon.ends()).toBe(0)
      const reader = openReader(at('state/store.db'))
      expect(reader.exchanges({ name: 'last.example', limit: 9 })).toMatchObject([{ queries: 1, answered: 1 }])
      expect(reader.resolvers()).toMatchObject([{ queries: 6 }])
      reader.close()
    } finally {
      near.remove()
      far.remove()
      rmSync(folder, { recursive: true, force: true })
    }
  }, 60_000)
}
