// A store in a folder of its own, anew for each test of a file.
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type Database from 'better-sqlite3'
import { openStore } from '../../src/store/database.ts'

export interface TemporaryStore {
  readonly folder: string
  /** Where the store is, or will be. */
  readonly path: string
  /** Opens it, and closes it again whatever happens. */
  with<T>(use: (db: Database.Database) => T): T
}

/** To be called once a file, outside its tests. */
export function temporaryStore(): TemporaryStore {
  let folder = ''
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'tunnelscope-store-'))
  })
  afterEach(() => rmSync(folder, { recursive: true }))
  return {
    get folder() {
      return folder
    },
    get path() {
      return join(folder, 'data', 'store.db')
    },
    with(use) {
      const { db } = openStore(this.path, 0)
      try {
        return use(db)
      } finally {
        db.close()
      }
    },
  }
}
