// Titles of all findings as their detectors have them, by id.
import { readFileSync } from 'node:fs'
import { DETECTORS } from '../../src/analysis/detectors/index.ts'

/** The one that the service raises about itself exports no description. */
const OF_THE_SERVICE = readFileSync(
  new URL('../../src/daemon/service-findings/store-paused.ts', import.meta.url),
  'utf8',
)

export const META: Readonly<Record<string, string>> = Object.freeze({
  ...Object.fromEntries(DETECTORS.map(({ meta }) => [meta.id, meta.title])),
  'store-paused': /title: '([^']+)'/.exec(OF_THE_SERVICE)![1]!,
})
