import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import type { Connection, Declaration, Delivery, EncodedEvent } from "@papa-events/core/transport";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import type { SqliteConnection } from "../../src/sqlite-transport/connection.ts";
import { sqlite } from "../../src/sqlite-transport/index.ts";

const LEASE_MS = 300;
const declaration: Declaration = { name: "packing", patterns: ["order.*"], id: "one" };
const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

let folder: string;
let file: string;
let connections: Connection[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "papa-events-sqlite-"));
  file = join(folder, "events.db");
  connections = [];
});

afterEach(async () => {
  for (const connection of connections) await connection.close();
  rmSync(folder, { recursive: true });
});

/** One more instance; what it is handed is in the returned list. */
async function instance(of: Declaration = declaration, readAhead = 40) {
  const connection = await sqlite({ file, lease: LEASE_MS }).connect({
    appName: "test",
    logger,
    maxHeldBytes: 1_000_000,
    onStatus: () => {},
    onProblem: () => {},
  });
  connections.push(connection);
  await connection.declarations.declare([of]);
  const taken: Delivery[] = [];
  await connection.subscribe(of.name, { readAhead, declaration: of.id }, (delivery) => taken.push(delivery));
  return { connection: connection as SqliteConnection, taken };
}

function event(id: string, body = "{}"): EncodedEvent {
  return { name: "order.placed", id, time: Date.now(), headers: { ce_id: id }, body: Buffer.from(body) };
}

function execute(sql: string): void {
  const db = new DatabaseSync(file, { timeout: 1_000 });
  db.exec(sql);
  db.close();
}

describe("leases", () => {
  it("L3 a settlement under a lease that has ended is lost, and settles nothing of whoever has the event now", async () => {
    const { connection, taken } = await instance();
    await connection.publish([event("a")]);
    await vi.waitFor(() => expect(taken).toHaveLength(1));
    // What another instance does with one that it takes for dead.
    execute("UPDATE events SET owner = 'another'; DELETE FROM instances");
    expect(await taken[0]?.settle({ kind: "done", outputs: [event("b")] })).toBe("lost");
    expect(await connection.inspect("packing")).toMatchObject({ ready: 0, inFlight: 1 });
  });

  it("H3 an instance whose lease has ended knows what it has lost, and goes on", async () => {
    const { connection, taken } = await instance();
    await connection.publish([event("a")]);
    await vi.waitFor(() => expect(taken).toHaveLength(1));
    execute("DELETE FROM instances; UPDATE events SET owner = NULL");
    await vi.waitFor(() => expect(taken).toHaveLength(2));
    expect(taken.map(({ lost }) => lost)).toEqual([true, false]);
    expect(await taken[1]?.settle({ kind: "done", outputs: [] })).toBe("stored");
  });
});

describe("sharing", () => {
  it("R8 whoever polls first leaves the others their share", async () => {
    const { connection, taken } = await instance();
    const other = await instance();
    await connection.publish(Array.from({ length: 20 }, (_, number) => event(`e${number}`)));
    await vi.waitFor(() => expect(taken.length + other.taken.length).toBe(20));
    expect(Math.min(taken.length, other.taken.length)).toBeGreaterThanOrEqual(5);
  });

  it("R6 what is addressed to a declaration is anybody's when its last subscriber has gone", async () => {
    const { connection, taken } = await instance();
    const newer = await instance({ ...declaration, id: "two" }, 1);
    await newer.connection.publish([event("a")]);
    await vi.waitFor(() => expect(taken.length + newer.taken.length).toBe(1));
    // So that the newer one has no room for what is forwarded to it.
    if (newer.taken.length === 0) {
      await taken[0]?.settle({ kind: "forward", delay: 0, event: event("a"), to: "two" });
      await vi.waitFor(() => expect(newer.taken).toHaveLength(1));
    }
    await connection.publish([event("b")]);
    await vi.waitFor(() => expect(taken.at(-1)?.event.id).toBe("b"));
    await taken.at(-1)?.settle({ kind: "forward", delay: 60_000, event: event("b"), to: "two" });
    const before = taken.length;
    newer.connection.sever();
    await vi.waitFor(() => expect(taken.slice(before).map((each) => each.event.id)).toContain("b"), 5_000);
  });
});
