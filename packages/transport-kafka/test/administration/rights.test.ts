import type { Broker } from "@papa-events/conformance/brokers";
import { isPapaError } from "@papa-events/core";
import type { SaslOptions } from "@papa-events/transport-kafka";
import { beforeAll, expect, test, vi } from "vitest";
import { membersOf, withAdmin } from "../support/admin.ts";
import { account, type Grants, grantsOfTheGuide, guardedBroker } from "../support/guarded-broker.ts";
import { brokerVersion, declare, event, publish, quiet, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

const PUBLISHES = grantsOfTheGuide("an app that publishes");
const HANDLES = grantsOfTheGuide("an app that handles");
const LOOKS = grantsOfTheGuide("an operator who looks");
const ACTS = grantsOfTheGuide("an operator who acts");

let broker: Broker;
/** Its address without credentials. */
let uri: string;

beforeAll(async () => {
  broker = await guardedBroker(brokerVersion());
  uri = broker.uri.replace(/\/\/.*@/, "//");
  return () => broker.stop();
}, 120_000);

let accounts = 0;
const login = (space: Space, grants: Grants): Promise<SaslOptions> => {
  accounts += 1;
  return account(broker.uri, space.prefix, `account-${accounts}`, grants);
};

async function topicsOf({ prefix }: Space): Promise<string[]> {
  const topics = await withAdmin(broker.uri, (admin) => admin.listTopics());
  return topics.filter((topic) => topic.startsWith(prefix)).sort();
}

const refused = (thrown: unknown) => isPapaError(thrown, "access-refused");

test("rights: an app that handles and one that publishes work with those of the guide, and operators with theirs", async () => {
  const space = new Space();
  const warn = vi.fn();
  const handling = { uri, sasl: await login(space, HANDLES) };
  const app = space.app({
    transport: space.transport(handling),
    retries: 1,
    retryDelay: 50,
    logger: { ...quiet, warn },
  });
  const attempts: number[] = [];
  app.onEvent("user.*", { useCase: "welcome" }, (payload, { attempt }) => {
    attempts.push(attempt);
    if (payload !== "well") throw new Error("not well");
  });
  await app.start();
  const publisher = space.app({ transport: space.transport({ uri, sasl: await login(space, PUBLISHES) }) });
  await publisher.start();
  await publisher.newEvent("user.created", "ill");
  await publisher.newEvent("other.created", "well");
  await until("it is dead", async () => (await app.deadLetters("welcome").count()) === 1);
  expect(attempts).toEqual([1, 2]);
  expect(JSON.stringify(warn.mock.calls)).not.toContain("may not");

  const looking = await space.connect({ uri, sasl: await login(space, LOOKS) }, { operator: true });
  const before = await topicsOf(space);
  expect(await looking.administration?.useCases()).toEqual(["welcome"]);
  expect(await looking.administration?.paused()).toEqual([]);
  expect(await looking.inspect("welcome")).toMatchObject({ dead: 1 });
  // What has been brought back is known to others once that is committed.
  await until("nothing waits", async () => (await looking.inspect("welcome")).waiting === 0);
  const shown: string[] = [];
  await looking.administration?.tail(["user.#"], {
    onEvent: ({ body }) => void shown.push(body.toString()),
    onDropped: () => {},
    onEnd: () => {},
  });
  await publisher.newEvent("user.created", "well");
  await until("it is shown", () => shown.length === 1);
  const letters = looking.deadLetters("welcome");
  const [letter] = (await letters.list({ limit: 1, order: "newest" })).items;
  const findings = (await looking.administration?.diagnose())?.map(({ what }) => what) ?? [];
  expect(findings.join("\n")).toMatch(/no right to Write/);
  expect(findings.join("\n")).toMatch(/may not read the brokers' settings/);
  for (const act of [
    () => looking.administration?.pause("welcome"),
    () => looking.administration?.remove("welcome", "purge"),
    () => letters.purge("all"),
    () => letters.redrive("all", () => event("user.created")),
  ])
    await expect(act()).rejects.toSatisfy(refused);
  expect(await topicsOf(space)).toEqual(before);
  expect(await letters.count()).toBe(1);

  const acting = await space.connect({ uri, sasl: await login(space, ACTS) }, { operator: true });
  await acting.administration?.pause("welcome");
  expect(await looking.administration?.paused()).toEqual(["welcome"]);
  await acting.administration?.resume("welcome");
  const revive = () => event("user.created", "well");
  expect(await acting.deadLetters("welcome").redrive([letter?.id ?? ""], revive)).toBe(1);
  await until("it is handled", () => attempts.length === 4);
  expect((await acting.administration?.diagnose())?.map(({ what }) => what).join("\n")).not.toMatch(/no right|may not/);
  await app.stop();
  expect(await acting.administration?.remove("welcome", "keep")).toBe(true);
  expect(await topicsOf(space)).toEqual(before.filter((topic) => !topic.includes("welcome")));
});

test("L1 an app that may not do what its use cases need does not start, and the error names all that is missing", async () => {
  const space = new Space();
  const first = await space.connect({ uri: broker.uri });
  await declare(first, "welcome", ["user.*"]);
  const sasl = await login(space, { ...HANDLES, events: ["DESCRIBE"], internal: ["READ"] });
  const second = await space.connect({ uri, sasl });
  await expect(declare(second, "welcome", ["user.*"])).rejects.toMatchObject({
    code: "access-refused",
    message: expect.stringMatching(
      /may not Write ".*registry".*Write ".*delays".*Write ".*ready-welcome".*Read ".*user"/,
    ),
  });
  const unknown = await space.connect({ uri, sasl: await login(space, {}) }, { operator: true });
  await expect(unknown.administration?.useCases()).rejects.toSatisfy(refused);
});

test("T2 a retry that one app may not bring back is brought back by another, whichever joins first", async () => {
  const space = new Space();
  const handled: string[] = [];
  const warn = vi.fn();
  const appOf = async (useCase: string, sasl: SaslOptions) => {
    const logger = { ...quiet, warn };
    const app = space.app({ transport: space.transport({ uri, sasl }), retries: 1, retryDelay: 50, logger });
    app.onEvent("a", { useCase }, (_, { attempt }) => {
      if (attempt === 1) throw new Error("not yet");
      handled.push(useCase);
    });
    await app.start();
    return app;
  };
  // It may write to the topics of its own use case only.
  const own = await login(space, { ...HANDLES, internal: ["READ"] });
  const owner = await space.connect({ uri: broker.uri });
  await declare(owner, "own", ["a"]);
  await declare(owner, "other", ["a"]);
  const { prefix } = space;
  for (const topic of [`${prefix}--registry`, `${prefix}--delays`, `${prefix}--ready-own`, `${prefix}--dead-own`])
    await account(broker.uri, topic, `account-${accounts}`, { exact: ["WRITE"] });
  const limited = await appOf("own", own);
  await until("it tells of what it may not do", () => warn.mock.calls.length > 0);
  expect(warn.mock.calls).toContainEqual([
    expect.objectContaining({ useCases: ["other"] }),
    expect.stringContaining("may not write"),
  ]);
  const other = await appOf("other", await login(space, HANDLES));
  await until("both release", async () => (await membersOf(broker.uri, `${prefix}--releaser`)).length === 2);
  await publish(owner, [event("a"), event("a"), event("a"), event("a")]);
  await until("all are handled", () => handled.length === 8);
  await Promise.all([limited.stop(), other.stop()]);
});

test("L1 a mapped topic needs rights of those who use it, and they are told at the start", async () => {
  const space = new Space();
  const topic = `orders.${space.prefix}`;
  await withAdmin(broker.uri, (admin) => admin.createTopics({ topics: [{ topic, numPartitions: 1 }] }));
  const granted = async (grants: Grants, exact: Grants["exact"] = []) => {
    const sasl = await login(space, grants);
    if (exact.length > 0) await account(broker.uri, topic, `account-${accounts}`, { exact });
    return { uri, sasl, topics: { [topic]: "order.*" } };
  };
  const warn = vi.fn();
  const publishing = await granted(PUBLISHES, ["WRITE"]);
  const publisher = await space.connect(publishing, { logger: { ...quiet, warn } });
  // It may not write to the registry, and nobody else has recorded it.
  expect(warn.mock.calls).toEqual([[expect.objectContaining({ topics: [topic] }), expect.stringMatching(/record/)]]);
  const without = await granted(HANDLES);
  const other = await space.connect(without);
  await declare(other, "other", ["user.*"]);
  await expect(declare(other, "orders", ["order.*"])).rejects.toMatchObject({
    code: "access-refused",
    message: expect.stringContaining(topic),
  });
  const describing = await space.connect(await granted(HANDLES, ["DESCRIBE"]));
  await expect(declare(describing, "orders", ["#"])).rejects.toMatchObject({
    code: "access-refused",
    message: expect.stringContaining(`may not Read "${topic}"`),
  });
  const app = space.app({ transport: space.transport(await granted(HANDLES, ["READ"])) });
  const handled: unknown[] = [];
  app.onEvent("order.*", { useCase: "orders" }, (payload) => void handled.push(payload));
  await app.start();
  await publish(publisher, [event("order.made", 1)]);
  await until("it is handled", () => handled.length === 1);
  await space.connect(publishing, { logger: { ...quiet, warn } });
  expect(warn.mock.calls.length).toBe(1);
  await withAdmin(broker.uri, (admin) => admin.deleteTopics({ topics: [topic] }));
});
