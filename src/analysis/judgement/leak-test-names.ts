// The names that leak-test pages make a machine ask, told by zone and label (rules.md X9).
import { LEAK_TEST_PAGES, type LeakTestPage } from '../../constants/leak-test-pages.ts'
import { isUnder } from './special-names.ts'

/** The page and the run a name belongs to, by its zone and random label. */
export function testOf(name: string): { page: LeakTestPage; run: string } | undefined {
  for (const page of LEAK_TEST_PAGES) {
    if (!isUnder(name, page.zone) || name.length === page.zone.length) continue
    const match = page.label.exec(name.slice(0, -page.zone.length - 1))
    if (match !== null) return { page, run: match[1] ?? '' }
  }
  return undefined
}
