// Epochs count from 1 in each run; the store's go on where the last run ended. What names epochs inside a finding goes along.
import type { Finding } from '../model/finding.ts'

/** The finding with the store's numbers, `base` after the run's own. */
export function inStoreNumbers(finding: Finding, base: number): Finding {
  const epoch = finding.epoch + base
  const { comparison, settledBy } = finding.data
  if (base === 0 || typeof comparison !== 'object' || comparison === null) return { ...finding, epoch }
  const data: Record<string, unknown> = { ...finding.data, comparison: moved(comparison, base) }
  if (Array.isArray(settledBy)) data.settledBy = settledBy.map((label) => movedLabel(String(label), base))
  return { ...finding, epoch, data }
}

/** Both observations of a comparison under their new numbers. */
function moved(comparison: object, base: number): object {
  const made: Record<string, unknown> = { ...comparison }
  for (const side of ['control', 'test']) {
    const observation = made[side] as { epoch: number } | undefined
    if (observation !== undefined) made[side] = { ...observation, epoch: observation.epoch + base }
  }
  return made
}

function movedLabel(label: string, base: number): string {
  return label.replace(/^epoch (\d+)$/, (_, id: string) => `epoch ${Number(id) + base}`)
}
