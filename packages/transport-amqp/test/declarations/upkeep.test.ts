import { expect, test } from "vitest";
import { quiet, Space } from "../support/broker.ts";
import { asOriginal, json } from "../support/original.ts";
import { until } from "../support/wait.ts";

test("L8 a binding and a queue of dead letters that somebody deletes while an app runs are there again within 5 s", async () => {
  const space = new Space();
  const warnings: unknown[] = [];
  const logger = { ...quiet, warn: (about: object) => void warnings.push(about) };
  const handled: unknown[] = [];
  const app = space.app({ logger }).onEvent(["x", "y.*"], { useCase: "uc" }, (n) => void handled.push(n));
  await app.start();
  const channel = await space.channel();
  const [exchange, queue] = [space.name("domain_events"), space.name("uc")];
  await channel.unbindQueue(queue, exchange, "x");
  await channel.unbindQueue(queue, exchange, "y.*");
  await channel.deleteQueue(`${queue}.dlq`);
  const deleted = performance.now();
  // What comes before they are made again is nowhere: RabbitMQ routes by what there is.
  const arrives = async (name: string) => {
    channel.publish(exchange, name, json(name), asOriginal);
    await channel.waitForConfirms();
    return handled.includes(name);
  };
  await until("it is bound again", () => arrives("x"), 30_000);
  await until("it is bound again", () => arrives("y.z"), 30_000);
  await until(
    "it is there again",
    () =>
      space.size("uc.dlq").then(
        () => true,
        () => false,
      ),
    30_000,
  );
  // Twice the promise: the machine may be busy.
  expect(performance.now() - deleted).toBeLessThan(10_000);
  expect(warnings).toContainEqual({ useCase: "uc", queues: [`${queue}.dlq`] });
});

test("L8 exchanges that somebody deletes are there again within 5 s with their bindings, though no app publishes", async () => {
  const space = new Space();
  const handled: unknown[] = [];
  const app = space.app().onEvent("x", { useCase: "uc" }, (n) => void handled.push(n));
  await app.start();
  const channel = await space.channel();
  for (const name of ["domain_events", "domain_events.retry", "domain_events.dlq"])
    await channel.deleteExchange(space.name(name));
  const deleted = performance.now();
  // As a service of the original, whose channel is closed while there is none.
  const publish = async (exchange: string, key: string) => {
    const other = await space.channel();
    other.publish(space.name(exchange), key, json(key), asOriginal);
    await other.waitForConfirms().catch(() => {});
    await other.close().catch(() => {});
  };
  await until("it is bound again", async () => {
    await publish("domain_events", "x");
    return handled.length > 0;
  });
  await until("dead letters of the original are kept", async () => {
    await publish("domain_events.dlq", space.name("uc"));
    return (await space.size("uc.dlq")) > 0;
  });
  await until("its retries wait", async () => {
    await publish("domain_events.retry", space.name("uc"));
    return (await space.size("uc.retry")) > 0;
  });
  // Twice the promise: the machine may be busy.
  expect(performance.now() - deleted).toBeLessThan(10_000);
});
