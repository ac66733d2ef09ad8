// The cap backend: what npm cap sees arrives with times and lengths, and an interface that goes down takes nobody with it.
import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { canMakeNamespaces, Namespace } from '../native/namespace.ts'
import { sayNotRun } from '../support/not-run.ts'

const hasCap = canLoad()

function canLoad(): boolean {
  try {
    createRequire(import.meta.url)('cap')
    return true
  } catch {
    return false
  }
}

const pause = (millis: number) => new Promise((resolve) => setTimeout(resolve, millis))

interface Report {
  echoes: Record<string, number>
  restarts: string[]
  wrongTimes: number
  linkTypes: Record<string, number>
  lossUnknown: boolean
}

if (!hasCap || !canMakeNamespaces) {
  test('the cap backend did not run', () => sayNotRun('the cap backend', 'npm cap, root and iproute2'))
} else {
  test('captures every interface, and goes on when one goes down and comes back', async () => {
    const near = new Namespace()
    const far = new Namespace()
    try {
      near.cable('v0', far, 'v1')
      near.ip('addr add 192.0.2.1/24 dev v0')
      far.ip('addr add 192.0.2.2/24 dev v1')
      const program = near.startScript('cap')
      await program.says('ready')
      const ping = (space: Namespace, to: string) => {
        try {
          execFileSync('ip', ['netns', 'exec', space.name, 'ping', '-c', '2', '-i', '0.2', '-W', '1', to], {
            stdio: 'ignore',
          })
        } catch {
          // Lost ones are the point when the cable is down.
        }
      }
      ping(near, '192.0.2.2')
      near.ip('link set v0 down')
      await pause(800)
      near.ip('link set v0 up')
      await pause(2500)
      ping(near, '192.0.2.2')
      ping(near, '127.0.0.1')
      await pause(500)
      program.child.kill('SIGTERM')
      const report = await program.result<Report>()
      expect(report.restarts).toEqual([expect.stringMatching(/^the capture on v0 ended and is started again/)])
      expect(report.echoes.v0).toBe(8)
      expect(report.echoes.lo).toBe(4)
      expect(report.linkTypes).toEqual({ lo: 1, v0: 1 })
      expect(report.wrongTimes).toBe(0)
      expect(report.lossUnknown).toBe(true)
    } finally {
      near.remove()
      far.remove()
    }
  })
}
