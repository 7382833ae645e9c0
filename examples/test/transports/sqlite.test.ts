import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { conformance } from "@papa-events/conformance";
import type { Transport } from "@papa-events/core/transport";
import type { SqliteConnection } from "../../src/sqlite-transport/connection.ts";
import { sqlite } from "../../src/sqlite-transport/index.ts";

/** Shorter than by default, so that tests need not wait long for the events of the dead. */
const LEASE_MS = 1_500;
const LOCK_TIMEOUT_MS = 200;

const folder = mkdtempSync(join(tmpdir(), "papa-events-sqlite-"));
const fileOf = (namespace: string) => join(folder, `${namespace}.db`);
/** What is connected, by namespace. */
const connections = new Map<string, SqliteConnection[]>();
const locks = new Map<string, DatabaseSync>();

/** Another program that keeps the file locked: what a lost connection is to a file. */
function lock(namespace: string): void {
  const db = new DatabaseSync(fileOf(namespace), { timeout: LOCK_TIMEOUT_MS });
  db.exec("BEGIN IMMEDIATE");
  locks.set(namespace, db);
}

function unlock(namespace: string): void {
  locks.get(namespace)?.close();
  locks.delete(namespace);
}

function execute(namespace: string, sql: string, ...values: readonly (string | Uint8Array)[]): void {
  const db = new DatabaseSync(fileOf(namespace), { timeout: 1_000 });
  db.prepare(sql).run(...values);
  db.close();
}

conformance({
  name: "sqlite",
  version: "file",
  tearDown: async () => rmSync(folder, { recursive: true }),
  transport: (namespace): Transport => {
    const transport = sqlite({ file: fileOf(namespace), lease: LEASE_MS, lockTimeout: LOCK_TIMEOUT_MS });
    return {
      name: transport.name,
      connect: async (options) => {
        const connection = await transport.connect(options);
        connections.set(namespace, [...(connections.get(namespace) ?? []), connection as SqliteConnection]);
        return connection;
      },
    };
  },
  clean: async (namespace) => {
    unlock(namespace);
    connections.delete(namespace);
    for (const suffix of ["", "-wal", "-shm"]) rmSync(`${fileOf(namespace)}${suffix}`, { force: true });
  },
  faults: {
    cut: async (namespace) => {
      lock(namespace);
      await new Promise((resolve) => setTimeout(resolve, LOCK_TIMEOUT_MS * 1.5));
      unlock(namespace);
    },
    disconnect: async (namespace) => lock(namespace),
    reconnect: async (namespace) => unlock(namespace),
    // A file gives no other answer than that somebody has it locked.
    stall: async (namespace) => lock(namespace),
    flow: async (namespace) => unlock(namespace),
    crash: async (namespace) => {
      for (const connection of connections.get(namespace) ?? []) connection.sever();
      connections.delete(namespace);
    },
    deletions: (namespace) => ({
      "its patterns": async () => {
        execute(namespace, "DELETE FROM declarations");
        execute(namespace, "UPDATE bindings SET version = 'deleted'");
      },
      "the use case": async () => execute(namespace, "DELETE FROM use_cases"),
      "the subscribers": async () => execute(namespace, "DELETE FROM subscribers"),
    }),
    restart: "a file has no server that could be killed",
    // As another instance would that takes this one for dead.
    cancel: async (namespace) => {
      execute(namespace, "UPDATE events SET owner = NULL");
      execute(namespace, "DELETE FROM instances");
    },
  },
  outside: async (namespace, { name, body, headers = {} }) => {
    const publish = "INSERT INTO inbox (name, body, headers) VALUES (?, ?, ?)";
    execute(namespace, publish, name, body, JSON.stringify(headers));
  },
  outsideHeaders: { tries: 3, twice: ["a", "b"], nothing: null },
  conflict: async (namespace) => {
    execute(namespace, "CREATE TABLE accounts (balance INTEGER)");
    return "accounts";
  },
  refused: [
    {
      problem: "a folder that does not exist",
      transport: () => sqlite(join(folder, "nowhere", "events.db")),
      code: "connection-failed",
      names: "nowhere",
    },
    {
      problem: "a file that is no database",
      transport: () => {
        const file = join(folder, "letter.txt");
        writeFileSync(file, "Dear Sir or Madam, ".repeat(100));
        return sqlite(file);
      },
      code: "unsupported-broker",
      names: "letter.txt",
    },
  ],
  program: {
    module: new URL("../../src/sqlite-transport/index.ts", import.meta.url).href,
    uri: (namespace) => `sqlite:${encodeURIComponent(fileOf(namespace))}?lease=${LEASE_MS}ms`,
  },
  longestLease: LEASE_MS,
  clock: "the processes that share a file have no other clock in common than the machine's",
  // Each commit is a sync of the disk, which others may keep busy.
  patience: 40_000,
});
