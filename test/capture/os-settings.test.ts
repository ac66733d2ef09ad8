import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { readTcpMtuProbing } from '../../src/capture/os-settings.ts'

const root = mkdtempSync(join(tmpdir(), 'tunnelscope-settings-'))
const folder = join(root, 'proc/sys/net/ipv4')
afterAll(() => rmSync(root, { recursive: true }))

test('tcp_mtu_probing as the system has it; nothing where it has none or shows something else', () => {
  expect(readTcpMtuProbing(root)).toBeUndefined()
  mkdirSync(folder, { recursive: true })
  for (const [content, value] of [
    ['0\n', 0],
    ['1\n', 1],
    ['2\n', 2],
    ['7\n', undefined],
    ['', 0],
  ] as const) {
    writeFileSync(join(folder, 'tcp_mtu_probing'), content)
    expect(readTcpMtuProbing(root)).toBe(content === '' ? undefined : value)
  }
})
