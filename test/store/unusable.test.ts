import { storeUnusable } from '../../src/store/unusable.ts'

test.each([
  ['SQLITE_FULL', 'make room there or'],
  ['ENOSPC', 'make room there or'],
  ['EROFS', 'make its file system writable or'],
  ['SQLITE_READONLY_DIRECTORY', 'make its file system writable or'],
  ['EACCES', 'run as root (sudo) or'],
  [undefined, 'run as root (sudo) or'],
])('%s: the sentence says what helps', (code, advice) => {
  const { message } = storeUnusable('/var/lib/x.db', Object.assign(new Error('why'), { code }))
  expect(message).toBe(`The store /var/lib/x.db cannot be opened: why; ${advice} name another place with --store.`)
})

test.each([
  ['nothing was built', { tries: ['/a/build/better_sqlite3.node'] }],
  ['built for another Node', { code: 'ERR_DLOPEN_FAILED' }],
])('%s: one sentence that says what to run', (_, fields) => {
  const { message } = storeUnusable('/var/lib/x.db', Object.assign(new Error('a list of places'), fields))
  expect(message).toMatch(/^The store \/var\/lib\/x\.db cannot be opened: better-sqlite3 is not built/)
  expect(message).toMatch(/run: npm rebuild better-sqlite3$/)
  expect(message).not.toContain('a list of places')
})
