// Real captures: those without a VPN show no tunnel and no leak; those with one are named here, with what they hold.
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { openCaptures } from '../../src/capture/open-captures.ts'
import { analyze } from '../../src/daemon/pipeline.ts'
import { OperatorError } from '../../src/model/operator-error.ts'
import type { Report } from '../../src/model/report.ts'

const CAPTURES = fileURLToPath(new URL('../../../shared/captures/', import.meta.url))
const isThere = existsSync(join(CAPTURES, 'LIST.txt'))
if (!isThere)
  console.log('not run: real captures without a VPN show no tunnel (../shared/captures is not beside the project)')

/** Captures with a VPN's packets, from the file `vpn-captures.txt` beside this one. */
const withVpn = new Set(
  readFileSync(fileURLToPath(new URL('vpn-captures.txt', import.meta.url)), 'utf8')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => line.split('\t')[0]!),
)

async function reportOf(path: string): Promise<Report | undefined> {
  try {
    const source = await openCaptures([join(CAPTURES, path)])
    try {
      const options = { version: 'test', tunnels: [], physicals: [], vpnResolvers: [] }
      return (await analyze(source, options)).report()
    } finally {
      await source.close()
    }
  } catch (error) {
    // Snoop and the like: refused in one sentence.
    if (error instanceof OperatorError) return undefined
    throw error
  }
}

test('a capture without a VPN gives no-tunnel and no leak; one with a VPN is seen to have one', async () => {
  if (!isThere) return
  const violations: string[] = []
  for (const path of readFileSync(join(CAPTURES, 'LIST.txt'), 'utf8').trim().split('\n')) {
    const report = await reportOf(path)
    if (report === undefined) continue
    const { dns } = report.verdict
    if (withVpn.has(path) === (dns === 'no-tunnel')) violations.push(`${path}: ${dns}`)
    for (const leak of report.leaks) violations.push(`${path}: leak of ${leak.name}`)
  }
  expect(violations).toEqual([])
}, 300_000)

test('plain DNS beside an OpenVPN connection over TCP is told, and mDNS is no leak', async () => {
  if (!isThere) return
  const report = await reportOf('mercury/unit_tests/pcaps/openvpn_tcp_single.pcap')
  expect(report!.verdict).toMatchObject({ dns: 'unknown', complete: false })
  expect(report!.leaks).toEqual([])
  const told = report!.findings.filter((one) => one.id === 'dns-expected')
  expect(told.map((one) => [one.data['protocol'], one.data['server'], one.count])).toEqual([
    ['dns', '1.20.121.1', 4],
    ['mdns', '224.0.0.251', 6],
  ])
})
