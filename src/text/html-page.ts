// A page for a browser in one file: no script, no request, everything from the wire escaped. Cold path.
import { escapeForTerminal } from './escape.ts'

const STYLE = `
:root { color-scheme: light dark; --ink: #1b1f24; --soft: #5b6570; --line: #d9dee3; --paper: #fff; --card: #f6f8fa; --bad: #b3261e; --good: #1a7f37; --unsure: #8a5a00; --name: #0b5cad }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e9ec; --soft: #9aa4ae; --line: #343b43; --paper: #15181c; --card: #1d2126; --bad: #ff8a80; --good: #6fdd8b; --unsure: #e3b341; --name: #7ab8ff } }
* { box-sizing: border-box }
body { margin: 0 auto; max-width: 60rem; padding: 2rem 1.25rem; background: var(--paper); color: var(--ink); font: 16px/1.5 system-ui, sans-serif }
h1 { font-size: 1.5rem; margin: 0 0 1.5rem } h1 b { margin-right: .6rem } .bad { color: var(--bad) } .good { color: var(--good) } .unsure { color: var(--unsure) }
h2 { font-size: 1.1rem; margin: 0; color: var(--name); overflow-wrap: anywhere } h3 { font-size: 1rem; margin: 1.75rem 0 .5rem }
section { background: var(--card); border: 1px solid var(--line); border-radius: .6rem; padding: 1rem 1.25rem; margin: 1rem 0 }
.where, .basis, footer { color: var(--soft); font-size: .9rem } .axis { font-weight: 600; color: var(--bad) }
.scroll { overflow-x: auto } table { border-collapse: collapse; width: 100%; font-size: .9rem; margin: .75rem 0 }
th, td { text-align: left; vertical-align: top; padding: .3rem .75rem .3rem 0; border-bottom: 1px solid var(--line) } td { overflow-wrap: anywhere; min-width: 5.5rem } td:first-child { min-width: 0 } th, td:first-child { white-space: nowrap } th { font-weight: 600; color: var(--soft) }
pre { overflow-x: auto; font-size: .85rem; line-height: 1.35 } code { font-size: .85rem; overflow-wrap: anywhere }
td.other { font-weight: 600 } .next { border-left: 3px solid var(--name); padding-left: .75rem; margin: .75rem 0 } .next p { margin: .2rem 0 }
`

/** One self-contained HTML file. The policy in its head forbids every request. `body` is HTML already. */
export function htmlPage(title: string, version: string, body: readonly string[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${safe(title)}</title>
<style>${STYLE}</style>
</head>
<body>
${body.filter((part) => part !== '').join('\n')}
<footer>tunnelscope ${safe(version)}</footer>
</body>
</html>
`
}

/** The verdict: one word and a sentence. */
export function htmlHeading(word: string, sentence: string, mood: 'good' | 'bad' | 'unsure'): string {
  return `<h1><b class="${mood}">${safe(word)}</b>${safe(sentence)}</h1>`
}

export function htmlTable(head: readonly string[], rows: readonly string[]): string {
  const cells = head.map((text) => `<th>${safe(text)}</th>`).join('')
  return `<div class="scroll"><table><thead><tr>${cells}</tr></thead><tbody>${rows.join('')}</tbody></table></div>`
}

export function htmlRow(cells: readonly string[]): string {
  return `<tr>${cells.map((text) => `<td>${safe(text)}</td>`).join('')}</tr>`
}

const ENTITIES: Readonly<Record<string, string>> = Object.freeze({
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
})

/** What acts instead of being shown is written out, then what HTML reads as its own is made plain text. */
export function safe(text: string): string {
  return escapeForTerminal(text).replace(/[&<>"']/g, (character) => ENTITIES[character]!)
}
