// The only door to the document: text goes in as text, and a node is touched only when what it shows changes.
import type { Cell, Row } from './rows.ts'

/** The element of the page with that id. Its absence is a bug of ours. */
export function byId(id: string): HTMLElement {
  const found = document.getElementById(id)
  if (found === null) throw new Error(`the page has no #${id}`)
  return found
}

export function setText(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text
}

export function setData(element: HTMLElement, name: string, value: string): void {
  if (element.dataset[name] !== value) element.dataset[name] = value
}

/** An element with a class and children; strings become text. */
export function make<Tag extends keyof HTMLElementTagNameMap>(
  tag: Tag,
  className = '',
  ...children: readonly (Node | string)[]
): HTMLElementTagNameMap[Tag] {
  const element = document.createElement(tag)
  if (className !== '') element.className = className
  element.append(...children)
  return element
}

/** Makes the children of `parent` these, in this order; those that stay where they are are not touched. */
export function setChildren(parent: Element, children: readonly Element[]): void {
  const wanted = new Set(children)
  for (const child of [...parent.children]) if (!wanted.has(child)) child.remove()
  let next = parent.firstElementChild
  for (const child of children) {
    if (child === next) next = next.nextElementSibling
    else parent.insertBefore(child, next)
  }
}

/** A list of terms and texts. */
export function setLines(list: Element, lines: readonly { term: string; text: string; mood?: string }[]): void {
  while (list.children.length > 2 * lines.length) list.lastElementChild!.remove()
  lines.forEach(({ term, text, mood }, index) => {
    if (list.children[2 * index] === undefined) list.append(make('dt'), make('dd'))
    setText(list.children[2 * index]!, term)
    const value = list.children[2 * index + 1] as HTMLElement
    setText(value, text)
    setData(value, 'mood', mood ?? 'plain')
  })
}

/**
 * Fills a table's body, and keeps the rows that are the same thing as before. What is wider than its place can be reached
 * and moved with the keyboard.
 */
export function createTable(table: HTMLElement): (rows: readonly Row[], heads?: readonly string[]) => void {
  const head = table.querySelector('thead tr')!
  const body = table.querySelector('tbody')!
  const place = table.parentElement!
  const sizes = new ResizeObserver(() => {
    place.tabIndex = place.scrollWidth > place.clientWidth ? 0 : -1
  })
  for (const one of [place, table]) sizes.observe(one)
  let known = new Map<string, HTMLTableRowElement>()
  return (rows, heads) => {
    if (heads !== undefined) setHeads(head, heads)
    // A head stands over its column as the cells do.
    rows[0]?.cells.forEach(({ kind }, index) => {
      head.children[index]?.classList.toggle('number', kind === 'number')
    })
    const now = new Map<string, HTMLTableRowElement>()
    for (const { key, cells } of rows) {
      const row = known.get(key) ?? make('tr')
      now.set(key, row)
      while (row.cells.length > cells.length) row.deleteCell(-1)
      cells.forEach((cell, index) => {
        setCell(row.cells[index] ?? row.insertCell(), cell)
      })
    }
    known = now
    setChildren(body, [...now.values()])
  }
}

function setHeads(row: Element, texts: readonly string[]): void {
  while (row.children.length > texts.length) row.lastElementChild!.remove()
  texts.forEach((text, index) => {
    if (row.children[index] === undefined) {
      const head = make('th')
      head.scope = 'col'
      row.append(head)
    }
    setText(row.children[index]!, text)
  })
}

function setCell(element: HTMLTableCellElement, { text, mood, kind }: Cell): void {
  setText(element, text)
  if (element.className !== (kind ?? '')) element.className = kind ?? ''
  setData(element, 'mood', mood ?? 'plain')
}
