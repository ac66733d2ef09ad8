// The dashboard's files, read once at the start, before any right is given up. Its HTML links everything that it needs; that
// is served, and nothing else.
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'

export interface PageFile {
  readonly contentType: string
  readonly bytes: Buffer
  /** The entity tag (RFC 9110 8.8.3). */
  readonly tag: string
}

/** By the path of their URL. */
export type PageFiles = ReadonlyMap<string, PageFile>

/**
 * The page's policy: its own files and its own service, no inline script or style, no frame around it, and no way to make
 * HTML out of text (Trusted Types).
 */
export const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
  "trusted-types 'none'",
].join('; ')

const CONTENT_TYPES: Readonly<Record<string, string>> = Object.freeze({
  css: 'text/css; charset=utf-8',
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  svg: 'image/svg+xml',
})

/** Modules are compiled beside us; what needs no compiling stays where it was written. */
const COMPILED = new URL('../', import.meta.url)
const WRITTEN = new URL('../../src/', import.meta.url)

/** The page at `/`, and what it links. */
export function readPageFiles(): PageFiles {
  const page = pageFile(new URL('web/index.html', WRITTEN))
  const files = new Map([['/', page]])
  for (const [, path] of page.bytes.toString('utf8').matchAll(/ (?:href|src)="(\/[^"]+)"/g)) {
    const root = path!.endsWith('.js') ? COMPILED : WRITTEN
    files.set(path!, pageFile(new URL(path!.slice(1), root)))
  }
  return files
}

function pageFile(url: URL): PageFile {
  const bytes = readFileSync(url)
  const suffix = url.pathname.slice(url.pathname.lastIndexOf('.') + 1)
  const tag = `"${createHash('sha256').update(bytes).digest('base64url').slice(0, 22)}"`
  return { contentType: CONTENT_TYPES[suffix]!, bytes, tag }
}
