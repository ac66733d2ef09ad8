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
