import type { PapaApp } from "@papa-events/core";
import { operator } from "@papa-events/core/operator";
import { afterAll, expect, test, vi } from "vitest";
import type { FetchedRecord } from "../../src/wire/records.ts";
import { clientTo, makeTopic, produceFrom, withAdmin } from "../support/admin.ts";
import { brokerUri, quiet, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

const made: string[] = [];
afterAll(() => withAdmin(brokerUri(), (admin) => admin.deleteTopics({ topics: made }).catch(() => {})));

/** Makes a topic as its owner does; its name has nothing of the namespace. */
async function foreignTopic(
  space: Space,
  name: string,
  configs: Readonly<Record<string, string>> = {},
): Promise<string> {
  const topic = `${name}.${space.prefix}`;
  await makeTopic(brokerUri(), topic, configs);
  made.push(topic);
  return topic;
}

/** Publishes as the owner does. */
const produce = (topic: string, value: unknown, headers: Record<string, string> = {}, key?: string) =>
  produceFrom(brokerUri(), topic, { value: JSON.stringify(value), headers, ...(key === undefined ? {} : { key }) });

async function topicsWith(text: string): Promise<string[]> {
  return (await withAdmin(brokerUri(), (admin) => admin.listTopics())).filter((topic) => topic.includes(text)).sort();
}

/** What the topic holds, and its id. */
async function contentOf(topic: string): Promise<{ id: number | undefined; records: readonly FetchedRecord[] }> {
  const client = clientTo(brokerUri());
  try {
    const found = (await client.metadata([topic])).topics.get(topic);
    const leader = found?.partitions[0]?.leader ?? -1;
    const limits = { wait: 0, bytes: 1_000_000, bytesPerPartition: 1_000_000 };
    const [result] = await client.fetch(leader, [{ topic, partition: 0, offset: 0 }], limits);
    return { id: found?.id, records: result?.records ?? [] };
  } finally {
    client.close();
  }
}

/** Notes what an app's use case handles. */
function handledBy(app: PapaApp, patterns: string | string[], useCase: string): string[] {
  const handled: string[] = [];
  app.onEvent(patterns, { useCase }, (payload, { eventName }) => void handled.push(`${eventName} ${payload}`));
  return handled;
}

test("what comes from a mapped topic is called by its ce_type, or by the one name that the topic stands for", async () => {
  const space = new Space();
  const one = await foreignTopic(space, "payments");
  const many = await foreignTopic(space, "orders");
  const warn = vi.fn();
  const transport = space.transport({ topics: { [one]: "payment.made", [many]: "order.*" } });
  const app = space.app({ transport, logger: { ...quiet, warn } });
  const exact = handledBy(app, ["payment.made", "order.made"], "exact");
  const all = handledBy(app, "#", "all");
  const others = handledBy(app, "user.*", "others");
  await app.start();
  await produce(one, 1);
  await produce(one, 2, { ce_type: "payment.made" });
  await produce(one, 3, { ce_type: "com.acme.Payment" });
  await produce(many, 4, { ce_type: "order.made" });
  await produce(many, 5, { ce_type: "order.paid" });
  // These belong to no name.
  await produce(many, 6, { ce_type: "user.created" });
  await produce(many, 7);
  await produce(many, 8, { ce_type: "order.made" });
  const payments = [1, 2, 3].map((number) => `payment.made ${number}`);
  await until("all are handled", () => exact.length === 5 && all.length === 6);
  expect(exact.toSorted()).toEqual(["order.made 4", "order.made 8", ...payments]);
  expect(all.toSorted()).toEqual(["order.made 4", "order.made 8", "order.paid 5", ...payments]);
  expect(others).toEqual([]);
  await until("it is said of the strays", () => warn.mock.calls.length >= 2);
  expect(warn.mock.calls.map(([about]) => about)).toContainEqual({ topic: many, name: "user.created", count: 1 });
});

test("an event whose name is mapped is published there in our wire format, others to our topics", async () => {
  const space = new Space();
  const topic = await foreignTopic(space, "orders");
  const app = space.app({ transport: space.transport({ topics: { [topic]: "order.made" } }) });
  const handled = handledBy(app, "#", "all");
  app.onEvent("order.made", { useCase: "pay" }, (payload) => ({ name: "order.paid", payload }));
  await app.start();
  const { id } = await app.newEvent("order.made", 1, { headers: { tenant: "a" } });
  await until("both are handled", () => handled.length === 2);
  expect(handled.toSorted()).toEqual(["order.made 1", "order.paid 1"]);
  const { records } = await contentOf(topic);
  const [{ value, headers } = { value: null, headers: {} }] = records;
  const text = Object.fromEntries(Object.entries(headers).map(([name, header]) => [name, String(header)]));
  expect([records.length, value?.toString()]).toEqual([1, "1"]);
  expect(text).toMatchObject({ ce_specversion: "1.0", ce_id: id, ce_type: "order.made", tenant: "a" });
});

test("an outsider's event keeps its key and its name on retry, dead letter and redrive, and its topic stays as it was", async () => {
  const space = new Space();
  const topic = await foreignTopic(space, "orders", { "message.timestamp.type": "CreateTime" });
  const transport = space.transport({ topics: { [topic]: "order.made" } });
  const app = space.app({ transport, retries: 1, retryDelay: 50 });
  const seen: unknown[] = [];
  let failing = true;
  app.onEvent("order.*", { useCase: "fails" }, (payload, { eventName, attempt, headers }) => {
    seen.push([eventName, attempt, payload, headers.kafka_key, headers.ce_type]);
    if (failing) throw new Error("no");
  });
  await app.start();
  await produce(topic, 1, { ce_type: "com.acme.Order" }, "customer-7");
  const letters = app.deadLetters("fails");
  await until("it is dead", async () => (await letters.count()) === 1);
  failing = false;
  expect(await letters.redrive("all")).toBe(1);
  await until("it is handled", () => seen.length === 3);
  expect(seen.map((each) => (each as unknown[]).slice(0, 4))).toEqual([
    ["order.made", 1, 1, "customer-7"],
    ["order.made", 2, 1, "customer-7"],
    ["order.made", 1, 1, "customer-7"],
  ]);
  await app.stop();
  const before = await contentOf(topic);
  const ops = operator(space.transport());
  expect((await ops.useCases()).map(({ name }) => name)).toEqual(["fails"]);
  await ops.remove("fails", { deadLetters: "purge" });
  await ops.close();
  const after = await contentOf(topic);
  expect([after.id, after.records.length]).toEqual([before.id, 1]);
  expect(await topicsWith(`${space.prefix}--ready`)).toEqual([]);
});

test("L1 a mapped topic that does not exist is a conflict at the start, of publishers too, and is not made", async () => {
  const space = new Space();
  const topic = `nobody.${space.prefix}`;
  const transport = space.transport({ topics: { [topic]: "order.*" } });
  const consumer = space.app({ transport });
  handledBy(consumer, "order.*", "orders");
  for (const app of [consumer, space.app({ transport })])
    await expect(app.start()).rejects.toMatchObject({
      code: "topology-conflict",
      details: { object: `topic "${topic}"`, difference: expect.stringContaining("does not exist") },
    });
  expect(await topicsWith(topic)).toEqual([]);
  // Who only looks is told by the diagnosis.
  const ops = operator(transport);
  const [error] = (await ops.diagnose()).filter(({ severity }) => severity === "error");
  await ops.close();
  expect(error?.what).toContain(`"${topic}"`);
});

test("L8 a mapped topic that its owner deletes and makes anew is read from its beginning; meanwhile its events wait", async () => {
  const space = new Space();
  const topic = await foreignTopic(space, "orders");
  const app = space.app({ transport: space.transport({ topics: { [topic]: "order.*" } }) });
  const handled = handledBy(app, ["order.*", "user.*"], "orders");
  await app.start();
  await app.newEvent("order.made", 1);
  await until("the first is handled", () => handled.length === 1);
  await withAdmin(brokerUri(), async (admin) => {
    await admin.deleteTopics({ topics: [topic] });
    await until("the topic is gone", async () => !(await admin.listTopics()).includes(topic));
  });
  const waiting = app.newEvent("order.made", 2);
  await app.newEvent("user.created", 3);
  await until("others are handled", () => handled.includes("user.created 3"));
  await until("it shows", () => JSON.stringify(app.health()).includes("it does not exist"));
  expect(await topicsWith(topic)).toEqual([]);
  await makeTopic(brokerUri(), topic, {});
  await waiting;
  await until("the second is handled", () => handled.includes("order.made 2"));
});

test("who maps a topic later than others misses nothing since, and is told until it does", async () => {
  const space = new Space();
  const topic = await foreignTopic(space, "orders");
  await produce(topic, 0, { ce_type: "order.made" });
  const warn = vi.fn();
  const logger = { ...quiet, warn };
  const without = space.app({ logger });
  const missed = handledBy(without, "order.*", "orders");
  await without.start();
  const transport = () => space.transport({ topics: { [topic]: "order.*" } });
  const publisher = space.app({ transport: transport() });
  await publisher.start();
  await publisher.newEvent("order.made", 1);
  const told = () => warn.mock.calls.filter(([about]) => about.topic === topic);
  await until("who runs is told", () => told().length === 1);
  await without.stop();
  const again = space.app({ logger });
  handledBy(again, "order.*", "orders");
  await again.start();
  await until("who starts is told", () => told().length === 2);
  expect(told()[1]?.[1]).toMatch(/map the topic ".*" to "order\.\*", and this one does not/);
  await again.stop();
  expect(missed).toEqual([]);
  const late = space.app({ transport: transport(), logger });
  const handled = handledBy(late, "order.*", "orders");
  await late.start();
  await until("what came since is handled", () => handled.length > 0);
  await late.newEvent("order.made", 2);
  await until("all are handled", () => handled.length === 2);
  expect(handled).toEqual(["order.made 1", "order.made 2"]);
  expect(told().length).toBe(2);
});

test("an operator without the option tails and counts what is in mapped topics, and is told of different mappings", async () => {
  const space = new Space();
  const topic = await foreignTopic(space, "orders", { "cleanup.policy": "compact" });
  const app = space.app({ transport: space.transport({ topics: { [topic]: "order.*" } }) });
  handledBy(app, "order.#", "orders");
  await app.start();
  await app.stop();
  const publisher = space.app({ transport: space.transport({ topics: { [topic]: "order.#" } }) });
  await publisher.start();
  const ops = operator(space.transport());
  const ended = new AbortController();
  const tailed: string[] = [];
  const tailing = (async () => {
    for await (const { name } of ops.tail("order.#", { signal: ended.signal })) tailed.push(name);
  })();
  await until("it is shown", async () => {
    // The tail begins some time after it was asked for.
    await produce(topic, 1, { ce_type: "order.made.twice" }, "key");
    return tailed.length > 0;
  });
  ended.abort();
  await tailing.catch(() => {});
  const [orders] = await ops.useCases();
  expect(orders?.stats.ready).toBeGreaterThan(0);
  const findings = (await ops.diagnose()).filter(({ what }) => what.includes(topic));
  await ops.close();
  expect(findings.map(({ severity, what }) => `${severity}: ${what.replace(topic, "orders")}`).sort()).toEqual([
    'warning: Apps map the topic "orders" to "order.*" and "order.#".',
    'warning: The topic "orders" of the option `topics` is compacted.',
  ]);
});
