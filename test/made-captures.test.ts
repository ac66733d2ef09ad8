// Every made capture in the tree is byte for byte what its `<case>.make.ts` makes. `npm run golden:update` writes them.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { filesBelow } from '../scripts/source-tree.mjs'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))

const makers = [...filesBelow(ROOT, 'test/fixtures', '.make.ts'), ...filesBelow(ROOT, 'examples', '.make.ts')]

test.each(makers)('%s makes the capture beside it', async (path) => {
  const { makeCapture } = (await import(pathToFileURL(join(ROOT, path)).href)) as { makeCapture(): Uint8Array }
  const made = Buffer.from(makeCapture())
  const target = captureBeside(join(ROOT, path))
  if (process.env.GOLDEN_UPDATE === '1') writeFileSync(target, made)
  expect(readFileSync(target).equals(made)).toBe(true)
})

/** The capture that belongs to a maker: pcapng unless a classic pcap stands there. */
function captureBeside(maker: string): string {
  const stem = maker.slice(0, -'.make.ts'.length)
  return existsSync(`${stem}.pcap`) ? `${stem}.pcap` : `${stem}.pcapng`
}
