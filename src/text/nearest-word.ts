// What somebody meant who misspelt one word of a known list.

/** More slips than this are another word. */
const MAX_TYPOS = 2

/** The known word, all lower case with hyphens, that is closest to `word`; undefined when none is close. */
export function nearestWord(word: string, known: readonly string[]): string | undefined {
  // Underscores for hyphens and capitals are the usual slips.
  const plainWord = word.toLowerCase().replaceAll('_', '-')
  let nearest: string | undefined
  let fewest = MAX_TYPOS + 1
  for (const one of known) {
    const typos = editDistance(plainWord, one)
    if (typos >= fewest) continue
    nearest = one
    fewest = typos
  }
  return nearest
}

/** Letters to change, add or remove (Levenshtein). */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)
      next.push(Math.min(replaced, row[j]! + 1, next[j - 1]! + 1))
    }
    row = next
  }
  return row[b.length]!
}
