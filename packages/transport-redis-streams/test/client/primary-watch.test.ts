import { isPapaError, PapaApp } from "@papa-events/core";
import { redisStreams } from "@papa-events/transport-redis-streams";
import type { Redis } from "ioredis";
import { expect, onTestFinished, test } from "vitest";
import { startSentinel } from "../support/sentinel.ts";
import { server } from "../support/server.ts";
import { quiet } from "../support/space.ts";
import { until } from "../support/wait.ts";

/** The names of the library's connections to a server. */
async function connectionsTo({ client }: { readonly client: Redis }): Promise<string[]> {
  const list = String(await client.client("LIST"));
  return [...list.matchAll(/ name=(watched\S*)/g)].map(([, name = ""]) => name).sort();
}

const NAMES = ["watched", "watched:control", "watched:inbox", "watched:uc"];

test("L3 an app leaves a primary that was replaced while it lives on, though the first of the Sentinels still names it", async () => {
  const [first, second] = await Promise.all([server(), server()]);
  const sentinels = await Promise.all([1, 2, 3].map(() => startSentinel(first.at)));
  const transport = redisStreams({
    connection: { sentinels: sentinels.map(({ port }) => ({ host: "127.0.0.1", port })), name: "main" },
  });
  const handled: unknown[] = [];
  const app = new PapaApp({ name: "watched", transport, logger: quiet });
  onTestFinished(() => app.stop());
  app.onEvent("x", { useCase: "uc" }, (n) => void handled.push(n));
  await app.start();
  await until("it is connected", async () => String(await connectionsTo(first)) === String(NAMES));
  await app.newEvent("x", 1);
  await until("it is handled", () => handled.length === 1);
  for (const sentinel of sentinels.slice(1)) Object.assign(sentinel, { primary: second.at, epoch: 1 });
  await until("all is connected to the new one", async () => String(await connectionsTo(second)) === String(NAMES));
  expect(await connectionsTo(first)).toEqual([]);
  await app.newEvent("x", 2);
  await until("it goes on", () => handled.length === 2);
  expect(await second.client.exists("{papa-events}:queue:uc")).toBe(1);
  await app.stop();
  await until("nothing is left", () => sentinels.every(({ connections }) => connections === 0));
});

test("L3 what one Sentinel of three says is not enough to leave a primary for", async () => {
  const [first, second] = await Promise.all([server(), server()]);
  const sentinel = await startSentinel(first.at);
  // Nothing listens at port 1.
  const sentinels = [sentinel.port, 1, 1].map((port) => ({ host: "127.0.0.1", port }));
  const app = new PapaApp({
    name: "watched",
    transport: redisStreams({ connection: { sentinels, name: "main" } }),
    logger: quiet,
  });
  onTestFinished(() => app.stop());
  app.onEvent("x", { useCase: "uc" }, () => {});
  await app.start();
  Object.assign(sentinel, { primary: second.at, epoch: 1 });
  const { asked } = sentinel;
  await until("it was asked", () => sentinel.asked > asked + 2);
  expect(await connectionsTo(second)).toEqual([]);
});

test("L4 a start that fails leaves no connection to a Sentinel", async () => {
  const sentinel = await startSentinel({ host: "127.0.0.1", port: 1 });
  const transport = redisStreams({
    connection: { sentinels: [{ host: "127.0.0.1", port: sentinel.port }], name: "main" },
  });
  const app = new PapaApp({ transport, logger: quiet });
  app.onEvent("x", { useCase: "uc" }, () => {});
  const error: unknown = await app.start().catch((thrown: unknown) => thrown);
  expect(isPapaError(error, "connection-failed")).toBe(true);
  await until("nothing is left", () => sentinel.connections === 0);
});
