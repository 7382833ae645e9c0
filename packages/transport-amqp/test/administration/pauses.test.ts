import { expect, test } from "vitest";
import { Space } from "../support/broker.ts";
import { json } from "../support/original.ts";
import { until } from "../support/wait.ts";

test("pauses are looked for in a queue that is there while none is paused, which an operator's look does not make", async () => {
  const space = new Space();
  const operator = await space.connect({ operator: true });
  expect(await operator.administration?.paused()).toEqual([]);
  await expect(space.size("domain_events:paused.flag")).rejects.toThrow("NOT_FOUND");
  const app = await space.connect();
  expect(await app.administration?.paused()).toEqual([]);
  await until("it is there", () =>
    space.size("domain_events:paused.flag").then(
      () => true,
      () => false,
    ),
  );
  await operator.administration?.pause("uc");
  await operator.administration?.pause("other");
  await operator.administration?.resume("uc");
  expect(await app.administration?.paused()).toEqual(["other"]);
  await operator.administration?.resume("other");
  expect(await app.administration?.paused()).toEqual([]);
  expect(await space.size("domain_events:paused.flag")).toBe(0);
});

test("a look for pauses takes nothing while none is paused, and a pause lasts while its flag is gone", async () => {
  const space = new Space();
  const app = await space.connect();
  await app.administration?.pause("uc");
  await app.administration?.resume("uc");
  const channel = await space.channel();
  // Held by somebody who does not give it back.
  const held = await channel.get(space.name("domain_events:paused"));
  expect(held).not.toBe(false);
  expect(await app.administration?.paused()).toEqual([]);
  if (held !== false) channel.nack(held);
  await app.administration?.pause("uc");
  expect(await app.administration?.paused()).toEqual(["uc"]);
  await channel.deleteQueue(space.name("domain_events:paused.flag"));
  const next = await space.connect();
  expect(await next.administration?.paused()).toEqual(["uc"]);
  await until("it is raised again", async () => (await space.size("domain_events:paused.flag").catch(() => 0)) === 1);
  expect(await app.administration?.paused()).toEqual(["uc"]);
});

test("a pause outlasts any number of looks: before the broker would drop it for its returns, it is stored anew", async () => {
  const space = new Space();
  const app = await space.connect();
  await app.administration?.pause("uc");
  const channel = await space.channel();
  const queue = space.name("domain_events:paused");
  const stored = await channel.get(queue, { noAck: true });
  expect(stored).not.toBe(false);
  // As a broker hands out what has come back so often.
  channel.sendToQueue(queue, json(["uc"]), { persistent: true, headers: { "x-delivery-count": 200_000 } });
  await channel.waitForConfirms();
  expect(await app.administration?.paused()).toEqual(["uc"]);
  await until("it is stored anew", async () => {
    const message = await channel.get(queue);
    if (message === false) return false;
    channel.nack(message);
    return Number(message.properties.headers?.["x-delivery-count"] ?? 0) < 1_000;
  });
  expect(await app.administration?.paused()).toEqual(["uc"]);
});
