import { expect, onTestFinished, test } from "vitest";
import { removeUseCase } from "../../src/administration/remove-use-case.ts";
import { readOptions } from "../../src/client/options.ts";
import { ReconnectingConnection } from "../../src/client/reconnecting-connection.ts";
import { Keys } from "../../src/wire/keys.ts";
import { encoded } from "../support/events.ts";
import { declared, quiet, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

async function remover(space: Space) {
  const target = readOptions({ uri: space.url() });
  const connection = await ReconnectingConnection.open({ target, connectionName: "operator" });
  onTestFinished(() => connection.close());
  return (useCase: string, deadLetters: "keep" | "purge" = "purge") =>
    removeUseCase(useCase, { deadLetters }, new Keys(space.prefix), connection);
}

test("R9 a use case is removed while others run: no later publish makes anything of it, and who runs it is told", async () => {
  const space = new Space();
  const errors: string[] = [];
  const logger = { ...quiet, error: (_: unknown, message?: string) => void errors.push(message ?? "") };
  const handled: unknown[] = [];
  const app = space
    .app({ logger })
    .onEvent("x", { useCase: "gone", retryDelay: "1h" }, () => {
      throw new Error("later");
    })
    .onEvent("x", { useCase: "stays" }, (n) => void handled.push(n));
  await app.start();
  await app.newEvent("x", 1);
  await until("it waits", async () => (await app.stats()).gone?.waiting === 1);
  const publisher = await space.connect();
  await publisher.publish([encoded("x", 2)]);
  const remove = await remover(space);
  expect(await remove("gone")).toBe(true);
  expect(await remove("gone")).toBe(false);
  expect(await publisher.publish([encoded("x", 3)])).toEqual([]);
  await until("it is told", () => errors.length > 0);
  expect(errors.join()).toContain("removed by an operator");
  expect(JSON.stringify(app.health())).toContain("removed by an operator");
  // Longer than the app looks for what was deleted.
  const until3s = performance.now() + 3_000;
  await until("time passes", () => performance.now() > until3s);
  expect((await space.redis.keys(space.key("*:gone"))).sort()).toEqual([]);
  expect(await space.redis.hkeys(space.key("bindings"))).toEqual(["stays x"]);
  await until("the other has them", () => handled.length === 3);
  // Whoever starts with it declares it anew.
  const again = space.app().onEvent("x", { useCase: "gone" }, (n) => void handled.push(`gone ${n}`));
  await again.start();
  await publisher.publish([encoded("x", 4)]);
  await until("it is handled", () => handled.includes(4));
  await until("the use case has it", async () => handled.includes("gone 4") || (await app.stats()).gone?.waiting === 1);
});

test("R9 the dead letters of a removed use case stay unless they are to be purged, and can be read", async () => {
  const space = new Space();
  const connection = await space.connect();
  await connection.declarations.declare([declared("uc", "x")]);
  await connection.publish([encoded("x", 1)]);
  const dead = new Promise((resolve) => {
    void connection.subscribe("uc", { readAhead: 1, declaration: "any" }, (delivery) => {
      void delivery.settle({ kind: "dead", id: "d-1", event: encoded("x", 1) }).then(resolve);
    });
  });
  expect(await dead).toBe("stored");
  const remove = await remover(space);
  expect(await remove("uc", "keep")).toBe(true);
  expect((await connection.deadLetters("uc").get("d-1"))?.id).toBe("d-1");
  expect(await remove("uc", "purge")).toBe(true);
  await expect(connection.deadLetters("uc").count()).rejects.toMatchObject({ code: "unknown-use-case" });
});
