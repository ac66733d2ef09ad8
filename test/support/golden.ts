// Comparing with a golden file. GOLDEN_UPDATE=1 (npm run golden:update) writes it anew; look at the difference then.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

export function expectGolden(path: string, text: string): void {
  if (process.env.GOLDEN_UPDATE === '1') {
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, text)
  }
  expect(text).toBe(readFileSync(path, 'utf8'))
}
