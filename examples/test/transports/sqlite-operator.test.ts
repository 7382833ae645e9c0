import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { PapaApp } from "@papa-events/core";
import { afterEach, beforeEach, expect, it } from "vitest";
import { sqlite } from "../../src/sqlite-transport/index.ts";

const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "papa-events-sqlite-"));
  file = join(folder, "events.db");
});

afterEach(() => rmSync(folder, { recursive: true }));

function look() {
  const options = { appName: "operator", operator: true, logger, maxHeldBytes: 1_000_000 };
  return sqlite({ file }).connect({ ...options, onStatus: () => {}, onProblem: () => {} });
}

it("L1 an operator who looks is no instance, and needs no right to write", async () => {
  const app = new PapaApp({ transport: sqlite({ file }), logger });
  await app.onEvent("order.*", { useCase: "packing" }, () => {}).start();
  await app.stop();
  chmodSync(file, 0o444);
  const connection = await look();
  expect(await connection.inspect("packing")).toEqual({ ready: 0, inFlight: 0, waiting: 0, dead: 0 });
  await connection.close();
  const db = new DatabaseSync(file, { readOnly: true });
  expect(db.prepare("SELECT count(*) AS count FROM instances").get()).toEqual({ count: 0 });
  db.close();
});
