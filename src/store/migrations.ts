// The store's shape, one step per released version. A step once released is never changed: a new one is added.
import type { Database } from 'better-sqlite3'

const LATENCY_COLUMNS = Array.from({ length: 13 }, (_, bucket) => `latency_${bucket} INTEGER NOT NULL DEFAULT 0`).join(
  ', ',
)

/** Step N brings a store of version N − 1 to version N. */
export const MIGRATIONS: readonly string[] = Object.freeze([
  `
  CREATE TABLE meta (name TEXT PRIMARY KEY, value ANY) STRICT, WITHOUT ROWID;
  INSERT INTO meta VALUES ('store_id', lower(hex(randomblob(8)))), ('last_seq', 0), ('forgotten_seq', 0);

  CREATE TABLE epochs (
    id INTEGER PRIMARY KEY, seq INTEGER NOT NULL, start_micros INTEGER NOT NULL, end_micros INTEGER, body TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX epochs_seq ON epochs (seq);

  CREATE TABLE verdict (only_row INTEGER PRIMARY KEY CHECK (only_row = 1), seq INTEGER NOT NULL, body TEXT NOT NULL) STRICT;

  CREATE TABLE findings (
    number INTEGER PRIMARY KEY AUTOINCREMENT, seq INTEGER NOT NULL,
    epoch INTEGER NOT NULL, id TEXT NOT NULL, key TEXT NOT NULL,
    severity INTEGER NOT NULL, interface TEXT, site TEXT,
    first_micros INTEGER NOT NULL, last_micros INTEGER NOT NULL, count INTEGER NOT NULL, body TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX findings_identity ON findings (epoch, id, key);
  CREATE UNIQUE INDEX findings_seq ON findings (seq);
  CREATE INDEX findings_last ON findings (last_micros);

  CREATE TABLE resolvers (
    id INTEGER PRIMARY KEY,
    epoch INTEGER NOT NULL, server TEXT NOT NULL, port INTEGER NOT NULL, transport TEXT NOT NULL,
    interface TEXT NOT NULL, side TEXT NOT NULL,
    queries INTEGER NOT NULL, answered INTEGER NOT NULL, last_micros INTEGER NOT NULL,
    asn INTEGER, organisation TEXT, country TEXT, ${LATENCY_COLUMNS}
  ) STRICT;
  CREATE UNIQUE INDEX resolvers_identity ON resolvers (epoch, server, port, transport, interface, side);

  CREATE TABLE dns_exchanges (
    resolver INTEGER NOT NULL, name TEXT NOT NULL, type INTEGER NOT NULL,
    queries INTEGER NOT NULL, answered INTEGER NOT NULL, failed INTEGER NOT NULL,
    first_micros INTEGER NOT NULL, last_micros INTEGER NOT NULL, ${LATENCY_COLUMNS},
    PRIMARY KEY (resolver, name, type)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX dns_exchanges_last ON dns_exchanges (last_micros);

  CREATE TABLE capture_statistics (
    minute_micros INTEGER NOT NULL, interface TEXT NOT NULL,
    packets INTEGER NOT NULL, bytes INTEGER NOT NULL, dropped INTEGER NOT NULL,
    PRIMARY KEY (minute_micros, interface)
  ) STRICT, WITHOUT ROWID;
  `,
  `
  CREATE TABLE sites (
    epoch INTEGER NOT NULL, host TEXT NOT NULL, last_micros INTEGER NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (epoch, host)
  ) STRICT, WITHOUT ROWID;
  CREATE INDEX sites_last ON sites (last_micros);
  `,
  `
  CREATE TABLE leak_service (
    day_micros INTEGER NOT NULL, app TEXT NOT NULL,
    questions INTEGER NOT NULL, names INTEGER NOT NULL, outside_micros INTEGER NOT NULL,
    PRIMARY KEY (day_micros, app)
  ) STRICT, WITHOUT ROWID;
  CREATE TABLE leak_names (
    day_micros INTEGER NOT NULL, app TEXT NOT NULL, name TEXT NOT NULL,
    PRIMARY KEY (day_micros, app, name)
  ) STRICT, WITHOUT ROWID;
  `,
])

export const STORE_VERSION = MIGRATIONS.length

/** Version a store was left at; 0 for a new file. */
export function storeVersion(db: Database): number {
  return db.pragma('user_version', { simple: true }) as number
}

/** Brings the store to STORE_VERSION, or to `target`; each step is one transaction, so a killed one leaves the old version. */
export function migrate(db: Database, target: number = STORE_VERSION): void {
  for (let version = storeVersion(db); version < target; version++) {
    db.transaction(() => {
      db.exec(MIGRATIONS[version]!)
      db.pragma(`user_version = ${version + 1}`)
    }).immediate()
  }
}
