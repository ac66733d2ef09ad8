// Made captures are what their makers make, and tunnelscope says about each what its golden says.
// `npm run golden:update` writes both again: read the difference before it is committed.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { filesBelow } from '../scripts/source-tree.mjs'
import { goldenText } from './golden-text.ts'

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)))
const UPDATE = process.env.GOLDEN_UPDATE === '1'
const FOLDERS = ['examples', 'test/fixtures']

const makers = FOLDERS.flatMap((folder) => filesBelow(ROOT, folder, '.make.ts'))
const captures = [...new Set([...makers.map(captureBeside), ...FOLDERS.flatMap(capturesBelow)])].sort()
const goldens = FOLDERS.flatMap((folder) => filesBelow(ROOT, folder, '.golden.txt'))

test.each(makers)('%s makes the capture beside it', async (path) => {
  const { makeCapture } = (await import(pathToFileURL(join(ROOT, path)).href)) as { makeCapture(): Uint8Array }
  const made = Buffer.from(makeCapture())
  const target = join(ROOT, captureBeside(path))
  if (UPDATE) writeFileSync(target, made)
  expect(readFileSync(target).equals(made)).toBe(true)
})

test.each(captures)('%s is described as its golden says', async (path) => {
  const actual = await goldenText(join(ROOT, path), path)
  const golden = join(ROOT, goldenBeside(path))
  if (UPDATE) writeFileSync(golden, actual)
  expect(actual).toBe(readFileSync(golden, 'utf8'))
})

test('every golden has its capture', () => {
  expect(goldens.filter((path) => !captures.some((capture) => goldenBeside(capture) === path))).toEqual([])
})

/** The capture that belongs to a maker: pcapng unless a classic pcap stands there. */
function captureBeside(maker: string): string {
  const stem = maker.slice(0, -'.make.ts'.length)
  return existsSync(join(ROOT, `${stem}.pcap`)) ? `${stem}.pcap` : `${stem}.pcapng`
}

function capturesBelow(folder: string): string[] {
  return filesBelow(ROOT, folder, '').filter((path) => /\.pcap(ng)?$/.test(path))
}

function goldenBeside(capture: string): string {
  return capture.replace(/\.pcap(ng)?$/, '.golden.txt')
}
