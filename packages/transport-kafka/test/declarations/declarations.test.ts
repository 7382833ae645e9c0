import { expect, test } from "vitest";
import { registryRecord } from "../../src/declarations/registry-record.ts";
import { produceFrom } from "../support/admin.ts";
import { brokerUri, declare, idOf, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

test("R6 each declaration is listed with its id and app, of one use case and of all", async () => {
  const space = new Space();
  const [first, second] = [await space.connect({}, { appName: "one" }), await space.connect({}, { appName: "two" })];
  expect(await first.declarations.list()).toEqual([]);
  await declare(first, "shared", ["a.*", "b"]);
  await declare(second, "shared", ["b"]);
  await declare(second, "own", ["c"]);
  const shared = [
    { useCase: "shared", patterns: ["a.*", "b"], id: idOf(["a.*", "b"]), app: "one" },
    { useCase: "shared", patterns: ["b"], id: "b", app: "two" },
  ];
  expect(await first.declarations.list("shared")).toMatchObject(shared);
  expect(await first.declarations.list()).toMatchObject([...shared, { useCase: "own", id: "c", app: "two" }]);
  expect(await first.declarations.list()).toHaveLength(3);
  for (const { idle } of await first.declarations.list("shared")) expect(idle).toBeLessThan(10_000);
});

test("R6 only what nobody has declared lately is withdrawn, with its declaration", async () => {
  const space = new Space();
  const connection = await space.connect();
  await declare(connection, "old", ["kept", "dropped"]);
  await until("it is a second old", async () => ((await connection.declarations.list("old"))[0]?.idle ?? 0) > 1_000);
  await declare(connection, "old", ["kept"]);
  await connection.declarations.withdraw("old", ["kept", "dropped"], 1_000);
  const left = await connection.declarations.list("old");
  expect(left).toMatchObject([{ patterns: ["kept"], id: "kept" }]);
  expect(left).toHaveLength(1);
});

test("R6 what the version before declared has neither id nor app, and stays", async () => {
  const space = new Space();
  const connection = await space.connect();
  await declare(connection, "mixed", ["both"]);
  const seen = (pattern: string) => registryRecord({ kind: "pattern", useCase: "mixed", pattern }, {});
  const bound = registryRecord({ kind: "binding", useCase: "mixed", pattern: "before", writer: "w" }, {});
  for (const { key, value } of [bound, seen("before"), seen("both")])
    await produceFrom(brokerUri(), `${space.prefix}--registry`, { key: String(key), value: Buffer.from(value ?? []) });
  const records = await connection.declarations.list("mixed");
  expect(records.map(({ patterns, id, app }) => [patterns, id, app])).toEqual([
    [["both"], "both", "test"],
    [["both"], undefined, undefined],
    [["before"], undefined, undefined],
  ]);
});
