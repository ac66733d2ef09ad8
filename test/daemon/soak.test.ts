// The short form of `npm run soak`: twenty seconds of the daemon under many different flows; memory stays small and flat.
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { canMakeNamespaces, hasTcpreplay } from '../native/namespace.ts'
import { compiled } from '../support/compiled.ts'
import { sayNotRun } from '../support/not-run.ts'

if (!canMakeNamespaces || !hasTcpreplay) {
  sayNotRun('the soak in its short form', 'root, iproute2, the addon and tcpreplay')
  test('the soak without namespaces or tcpreplay: nothing to run here', () => {
    expect(canMakeNamespaces && hasTcpreplay).toBe(false)
  })
} else {
  test('twenty seconds under 300,000 flows: memory small and flat', () => {
    const soak = fileURLToPath(new URL('../../bench/soak.mjs', import.meta.url))
    const words = ['--minutes', '0.33', '--pps', '20000', '--flows', '300000', '--main', compiled('src/cli/main.ts')]
    const { status, stdout, stderr } = spawnSync(process.execPath, [soak, ...words], { encoding: 'utf8' })
    expect({ status, words: status === 0 ? '' : stdout + stderr }).toEqual({ status: 0, words: '' })
    expect(stdout).toMatch(/\d{5,} packets captured/)
  }, 90_000)
}
