import { expect, test } from "vitest";
import { declaration, Space } from "../support/broker.ts";
import { asOriginal, declareAsOriginal, json } from "../support/original.ts";
import { kill, run } from "../support/processes.ts";
import { until } from "../support/wait.ts";

test("L6 a tail of a killed process leaves no queue behind", { timeout: 60_000 }, async () => {
  const space = new Space();
  const connection = await space.connect();
  await connection.declarations.declare([declaration("uc", "x")]);
  const channel = await space.channel();
  let returned = 0;
  channel.on("return", () => {
    returned += 1;
  });
  /** Whether any queue gets an event that no use case wants. */
  const isWatched = async () => {
    const before = returned;
    channel.publish(space.name("domain_events"), "nobody.wants", json(1), { mandatory: true });
    // A queue that is just going away refuses it.
    const isRefused = await channel.waitForConfirms().then(
      () => false,
      () => true,
    );
    return isRefused || returned === before;
  };
  expect(await isWatched()).toBe(false);
  let watching = false;
  const child = run("tail", space.url(), () => {
    watching = true;
  });
  await until("it watches", () => watching);
  expect(await isWatched()).toBe(true);
  await kill(child);
  await until("its queue is gone", async () => !(await isWatched()));
});

test("L6 a tail shows no retry of the Python original, and matches as patterns do", async () => {
  const space = new Space();
  const channel = await space.channel();
  await declareAsOriginal(channel, space, "uc", "#", 100);
  const operator = await space.connect({ operator: true });
  const shown: (string | undefined)[] = [];
  const tail = await operator.administration?.tail(["#.a.#.b.#", "c"], {
    onEvent: ({ name }) => void shown.push(name),
    onDropped: () => {},
    onEnd: () => {},
  });
  for (const name of ["c", "a.b", "x.a.y.b.z", "b.a", "a"])
    channel.publish(space.name("domain_events"), name, json(1), asOriginal);
  await channel.consume(space.name("uc"), (message) => {
    if (message !== null && message.properties.headers?.["x-death"] === undefined) channel.nack(message, false, false);
    else if (message !== null) channel.ack(message);
  });
  await until("all have been retried", async () => (await space.size("uc")) + (await space.size("uc.retry")) === 0);
  await until("it shows them", () => shown.length >= 3);
  await tail?.stop();
  expect(shown).toEqual(["c", "a.b", "x.a.y.b.z"]);
});
