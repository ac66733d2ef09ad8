// What leaked by program and day, over the socket: the route from the store, the counters of this run.
import { request } from 'node:http'
import { type RunningService, runService } from '../support/running-service.ts'

let running: RunningService
beforeAll(async () => {
  running = await runService()
})
afterAll(() => running.stop())

function ask(path: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const asked = request({ socketPath: running.socketPath, path }, (response) => {
      let body = ''
      response.on('data', (part) => {
        body += part
      })
      response.on('end', () => resolve({ status: response.statusCode!, body }))
    })
    asked.on('error', reject)
    asked.end()
  })
}

const series = (metrics: string) => metrics.split('\n').filter((line) => line.startsWith('tunnelscope_leaked'))

test('nothing leaked: no rows, no series', async () => {
  expect(JSON.parse((await ask('/api/v1/leak-service')).body)).toMatchObject({ leakService: [] })
  expect(series((await ask('/metrics')).body)).toEqual([])
})

test('a day and program is stored, and the metrics count', async () => {
  const day = new Date().toISOString().slice(0, 10)
  running.service.publishLeakService([
    { day, app: 'curl', questions: 2, outsideMs: 1500, newNames: ['a.example', 'b.example'] },
    { day: '2020-01-01', app: 'curl', questions: 1, outsideMs: 500, newNames: ['a.example'] },
  ])
  running.service.publishLeakService([
    { day, app: 'a"\\\n', questions: 1, outsideMs: 5000, newNames: [] },
    { day, app: 'curl', questions: 1, outsideMs: 0, newNames: ['c.example'] },
  ])
  while (running.service.state.store().waiting > 0) await new Promise((done) => setTimeout(done, 5))
  expect(JSON.parse((await ask(`/api/v1/leak-service?since=${day}`)).body).leakService).toEqual([
    { day, app: 'curl', questions: 3, names: 3, outsideMs: 1500 },
    { day, app: 'a"\\\n', questions: 1, names: 0, outsideMs: 5000 },
  ])
  expect(JSON.parse((await ask('/api/v1/leak-service')).body).leakService).toHaveLength(3)
  expect(series((await ask('/metrics')).body)).toEqual([
    'tunnelscope_leaked_questions_total{app="curl"} 4',
    'tunnelscope_leaked_questions_total{app="a\\"\\\\\\n"} 1',
    'tunnelscope_leaked_outside_seconds_total{app="curl"} 2',
    'tunnelscope_leaked_outside_seconds_total{app="a\\"\\\\\\n"} 5',
    'tunnelscope_leaked_names_today{app="curl"} 3',
    'tunnelscope_leaked_names_today{app="a\\"\\\\\\n"} 0',
  ])
})

test.each(['?since=yesterday', '?day=1'])('%s is refused', async (query) => {
  expect((await ask(`/api/v1/leak-service${query}`)).status).toBe(400)
})
