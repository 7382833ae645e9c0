import { PapaApp } from "@papa-events/core";
import type { Connection } from "@papa-events/core/transport";
import { redisStreams } from "@papa-events/transport-redis-streams";
import { expect, onTestFinished, test } from "vitest";
import { rulesOf } from "../support/accounts.ts";
import { encoded } from "../support/events.ts";
import { declared, quiet, Space, silent } from "../support/space.ts";
import { until } from "../support/wait.ts";

/** Makes the account that the guide has for a part, in this namespace. Gives its address. */
async function account(space: Space, part: string): Promise<string> {
  const user = `${part}-${space.prefix}`;
  const rules = await rulesOf(part, space.prefix);
  onTestFinished(async () => void (await space.redis.call("ACL", "DELUSER", user)));
  await space.redis.call("ACL", "SETUSER", user, ...rules);
  return space.url(space.uri.replace("redis://", `redis://${user}:secret@`));
}

async function connect(url: string, operator: boolean): Promise<Connection> {
  const connection = await redisStreams(url).connect({ ...silent, operator });
  onTestFinished(() => connection.close());
  return connection;
}

/** An app that says what it was warned of. */
function appOf(url: string, problems: string[]): PapaApp {
  const tell = (about: unknown, message?: string) => void problems.push(`${message} ${JSON.stringify(about)}`);
  const app = new PapaApp({
    transport: redisStreams(url),
    logger: { ...quiet, warn: tell, error: tell },
    drainTimeout: 2_000,
  });
  onTestFinished(() => app.stop());
  return app;
}

test("rights: the accounts of the guide for an app that handles and for one that publishes suffice", async () => {
  const space = new Space();
  const problems: string[] = [];
  const handled: string[] = [];
  const handling = appOf(await account(space, "handles"), problems)
    .onEvent("x", { useCase: "uc", retries: 1, retryDelay: 10 }, (payload, { attempt }) => {
      handled.push(`${payload} ${attempt}`);
      if (payload === "fails" || attempt === 1) throw new Error(String(payload));
      return { name: "out", payload: 1 };
    })
    .onEvent("out", { useCase: "outputs" }, () => void handled.push("output"));
  await handling.start();
  const publishing = appOf(await account(space, "publishes"), problems);
  await publishing.start();
  await publishing.newEvents([
    { name: "x", payload: "passes" },
    { name: "x", payload: "fails" },
  ]);
  await space.redis.xadd(space.key("inbox"), "*", "event", "out", "payload", "1");
  await until("all is handled", () => handled.filter((each) => each === "output").length === 2);
  await until("one is dead", async () => (await handling.stats()).uc?.dead === 1);
  expect(await handling.deadLetters("uc").redrive("all")).toBe(1);
  await until("it is dead again", async () => (await handling.stats()).uc?.dead === 1);
  expect(handling.health()).toMatchObject({ healthy: true });
  expect(publishing.health()).toMatchObject({ healthy: true });
  // What handlers threw is a warning, and so is a dead letter.
  expect(problems.filter((each) => !each.includes('"eventName":"x"'))).toEqual([]);
  await Promise.all([publishing.stop(), handling.stop()]);
  expect(await space.redis.keys(space.key("calls:*"))).toEqual([]);
});

test("rights: an account that publishes can neither handle nor look at events, nor remove anything", async () => {
  const space = new Space();
  const app = await space.connect();
  await app.declarations.declare([declared("uc", "x")]);
  await app.publish([encoded("x", 1)]);
  const url = await account(space, "publishes");
  const publisher = await connect(url, false);
  expect(await publisher.publish([encoded("x", 2)])).toEqual([]);
  const refused = { code: "access-refused" };
  await expect(publisher.declarations.declare([declared("uc", "y")])).rejects.toMatchObject(refused);
  await expect(publisher.administration?.remove("uc", "purge")).rejects.toMatchObject(refused);
  await expect(publisher.administration?.pause("uc")).rejects.toMatchObject(refused);
  await expect(publisher.deadLetters("uc").purge("all")).rejects.toMatchObject(refused);
  expect(await app.inspect("uc")).toMatchObject({ ready: 2 });
});

test("rights: an operator who reads sees all and changes nothing", async () => {
  const space = new Space();
  const app = await space.connect();
  await app.declarations.declare([declared("uc", "x")]);
  await space.redis.hset(space.key("dead:uc"), "d", "1 x\n{}\n1");
  await space.redis.zadd(space.key("dead-order:uc"), 1, "d");
  const reader = await connect(await account(space, "reads"), true);
  const { administration, declarations } = reader;
  const letters = reader.deadLetters("uc");
  expect(await administration?.useCases()).toEqual(["uc"]);
  expect(await administration?.paused()).toEqual([]);
  expect(await declarations.list("uc")).toHaveLength(1);
  expect(await reader.inspect("uc")).toMatchObject({ dead: 1 });
  expect((await letters.list({ limit: 10, order: "newest" })).items).toHaveLength(1);
  expect((await letters.get("d"))?.id).toBe("d");
  const scanned: string[] = [];
  for await (const { id } of letters.scan("newest")) scanned.push(id);
  expect(scanned).toEqual(["d"]);
  const findings = (await administration?.diagnose()) ?? [];
  expect(findings.map(({ what }) => what)).toEqual(["this account may only read"]);
  const refused = { code: "access-refused" };
  const tail = { onEvent() {}, onDropped() {}, onEnd() {} };
  await expect(administration?.pause("uc")).rejects.toMatchObject(refused);
  await expect(administration?.resume("uc")).rejects.toMatchObject(refused);
  await expect(administration?.remove("uc", "purge")).rejects.toMatchObject(refused);
  await expect(administration?.tail(["#"], tail)).rejects.toMatchObject(refused);
  await expect(letters.purge("all")).rejects.toMatchObject(refused);
  await expect(letters.redrive("all", () => encoded("x", 1))).rejects.toMatchObject(refused);
  expect((await reader.publish([encoded("x", 1)]))[0]?.error).toMatchObject(refused);
  expect(await letters.count()).toBe(1);
});

test("rights: the account of the guide for an operator who acts suffices", async () => {
  const space = new Space();
  const app = await space.connect();
  await app.declarations.declare([declared("uc", "x", "y")]);
  for (const id of ["d", "e"]) {
    await space.redis.hset(space.key("dead:uc"), id, "1 x\n{}\n1");
    await space.redis.zadd(space.key("dead-order:uc"), id === "d" ? 1 : 2, id);
  }
  const operator = await connect(await account(space, "acts"), true);
  const { administration, declarations } = operator;
  const shown: unknown[] = [];
  const tail = await administration?.tail(["#"], {
    onEvent: ({ text }) => void shown.push(text),
    onDropped() {},
    onEnd() {},
  });
  expect(await operator.publish([encoded("x", 1)])).toEqual([]);
  await until("it is shown", () => shown.length === 1);
  await tail?.stop();
  await administration?.pause("uc");
  expect(await administration?.paused()).toEqual(["uc"]);
  await administration?.resume("uc");
  const letters = operator.deadLetters("uc");
  expect(await letters.redrive(["d"], () => encoded("x", 1))).toBe(1);
  expect(await letters.purge("all")).toBe(1);
  await declarations.withdraw("uc", ["y"], 0);
  expect((await declarations.list("uc"))[0]?.patterns).toEqual(["x"]);
  expect(await administration?.diagnose()).toMatchObject([{ what: expect.stringContaining("no instance handles") }]);
  expect(await administration?.remove("uc", "purge")).toBe(true);
  await operator.close();
  expect(await space.redis.keys(space.key("*:uc"))).toEqual([]);
});
