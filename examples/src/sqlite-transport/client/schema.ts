import type { DatabaseSync } from "node:sqlite";
import { PapaError } from "@papa-events/core";

/** Marks a file as ours, with the version of its tables: "PEV1". */
const APPLICATION_ID = 0x50455631;

const TABLES = `
  CREATE TABLE use_cases (name TEXT PRIMARY KEY) WITHOUT ROWID;

  CREATE TABLE declarations (
    use_case TEXT NOT NULL, app TEXT NOT NULL, id TEXT NOT NULL, pattern TEXT NOT NULL,
    seen INTEGER NOT NULL,
    PRIMARY KEY (use_case, app, id, pattern)
  ) WITHOUT ROWID;

  -- A fresh value whenever a pattern is bound or unbound. No count: one whose transaction was undone would come again.
  CREATE TABLE bindings (version TEXT NOT NULL);
  INSERT INTO bindings VALUES ('none');

  -- The instances that live: each counts its beat up.
  CREATE TABLE instances (id TEXT PRIMARY KEY, beat INTEGER NOT NULL, lease INTEGER NOT NULL) WITHOUT ROWID;

  CREATE TABLE subscribers (
    instance TEXT NOT NULL REFERENCES instances ON DELETE CASCADE, use_case TEXT NOT NULL, declaration TEXT NOT NULL,
    PRIMARY KEY (use_case, declaration, instance)
  ) WITHOUT ROWID;

  -- An event is ready when nobody owns it and it is due, and waits when it is not due yet.
  -- No number is used twice: a late settlement finds nothing.
  CREATE TABLE events (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    use_case TEXT NOT NULL, due INTEGER NOT NULL,
    owner TEXT, declaration TEXT, redeliveries INTEGER NOT NULL DEFAULT 0,
    name TEXT NOT NULL, id TEXT NOT NULL, time INTEGER NOT NULL, headers TEXT NOT NULL, body BLOB NOT NULL
  );
  CREATE INDEX free_events ON events (use_case, due, seq) WHERE owner IS NULL;
  CREATE INDEX owned_events ON events (owner) WHERE owner IS NOT NULL;
  CREATE INDEX addressed_events ON events (use_case, declaration) WHERE declaration IS NOT NULL;

  CREATE TABLE dead_letters (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    use_case TEXT NOT NULL, letter TEXT NOT NULL,
    name TEXT NOT NULL, id TEXT NOT NULL, time INTEGER NOT NULL, headers TEXT NOT NULL, body BLOB NOT NULL,
    UNIQUE (use_case, letter)
  );

  CREATE TABLE trials (
    use_case TEXT NOT NULL, event TEXT NOT NULL, trial TEXT NOT NULL, begun INTEGER NOT NULL,
    PRIMARY KEY (use_case, event, trial)
  ) WITHOUT ROWID;

  -- Where other programs publish: INSERT INTO inbox (name, body) VALUES ('user.created', '{"name":"carlos"}')
  CREATE TABLE inbox (
    seq INTEGER PRIMARY KEY,
    name TEXT NOT NULL, body BLOB NOT NULL,
    headers TEXT NOT NULL DEFAULT '{}' CHECK (json_type(headers) = 'object'),
    id TEXT NOT NULL DEFAULT (lower(hex(randomblob(16)))),
    time INTEGER NOT NULL DEFAULT (CAST(1000 * unixepoch('subsec') AS INTEGER))
  );

  PRAGMA application_id = ${APPLICATION_ID};
`;

/** Makes the tables in a new file; writes nothing to one that has them. @throws PapaError `topology-conflict` where the file is another program's */
export function prepare(db: DatabaseSync, file: string): void {
  if (isPrepared(db, file)) return;
  db.exec("PRAGMA journal_mode = WAL; BEGIN IMMEDIATE");
  try {
    if (!isPrepared(db, file)) db.exec(TABLES);
    db.exec("COMMIT");
  } catch (error) {
    if (db.isTransaction) db.exec("ROLLBACK");
    throw error;
  }
}

/** @throws PapaError `topology-conflict` */
function isPrepared(db: DatabaseSync, file: string): boolean {
  if (db.prepare("PRAGMA application_id").get()?.application_id === APPLICATION_ID) return true;
  const table = db.prepare("SELECT name FROM sqlite_schema LIMIT 1").get();
  if (table !== undefined) throw conflict(file, `it holds "${String(table.name)}" of another program`);
  return false;
}

function conflict(file: string, difference: string): PapaError {
  return new PapaError("topology-conflict", `${file} is not a file of Papa Events: ${difference}.`, {
    object: file,
    difference,
  });
}
