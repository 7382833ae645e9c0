import { expect, test } from "vitest";
import { declaration, Space } from "../support/broker.ts";
import { until } from "../support/wait.ts";

test("R6 a declaration counts while somebody renews it, and its binding goes after the grace", async () => {
  const space = new Space();
  const connection = await space.connect({ appName: "one" });
  const other = await space.connect({ appName: "two" });
  try {
    await other.declarations.declare([declaration("uc", "old.*")]);
    await connection.declarations.declare([declaration("uc", "new.*")]);
    const declared = await connection.declarations.list("uc");
    expect(declared.flatMap(({ patterns }) => patterns).sort()).toEqual(["new.*", "old.*"]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    await connection.declarations.declare([declaration("uc", "new.*")]);
    await connection.declarations.withdraw("uc", ["old.*", "new.*"], 250);
    expect((await connection.declarations.list("uc")).flatMap(({ patterns }) => patterns)).toEqual(["new.*"]);
    await connection.publish([
      { name: "old.a", id: "1", time: 0, headers: {}, body: Buffer.from("1") },
      { name: "new.a", id: "2", time: 0, headers: {}, body: Buffer.from("2") },
    ]);
    await until("what is still bound", async () => (await space.size("uc")) === 1);
    // Declared again, it is bound again.
    await other.declarations.declare([declaration("uc", "old.*")]);
    await connection.publish([{ name: "old.a", id: "3", time: 0, headers: {}, body: Buffer.from("3") }]);
    await until("what is bound again", async () => (await space.size("uc")) === 2);
  } finally {
    await connection.close();
    await other.close();
  }
});

test("R6 declarations survive any number of reads", async () => {
  const space = new Space();
  const connection = await space.connect({ appName: "one" });
  try {
    await connection.declarations.declare([declaration("uc", "a.*")]);
    for (let reads = 0; reads < 40; reads += 1) expect(await connection.declarations.list("uc")).toHaveLength(1);
  } finally {
    await connection.close();
  }
});
