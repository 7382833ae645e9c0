import { expect, test, vi } from "vitest";
import { withAdmin } from "../support/admin.ts";
import { brokerUri, quiet, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

const numbers = (count: number) => Array.from({ length: count }, (_, number) => number);

async function deleteTopic(topic: string): Promise<void> {
  await withAdmin(brokerUri(), async (admin) => {
    await admin.deleteTopics({ topics: [topic] });
    await until("the topic is gone", async () => !(await admin.listTopics()).includes(topic));
  });
}

/** Publishes one by one, so that all partitions get some. */
async function publish(app: ReturnType<Space["app"]>, name: string, count: number): Promise<string[]> {
  const ids: string[] = [];
  for (const number of numbers(count)) ids.push((await app.newEvent(name, { number })).id);
  return ids;
}

function reader(space: Space, useCase: string, options: Parameters<Space["app"]>[0] = {}) {
  const app = space.app(options);
  const handled: string[] = [];
  app.onEvent("gone.*", { useCase }, (_, { id }) => void handled.push(id));
  return { app, handled };
}

test("L8 a topic that was deleted and made anew while nobody consumed it is read from its beginning", async () => {
  const space = new Space();
  const publisher = space.app();
  await publisher.start();
  const early = reader(space, "early");
  await early.app.start();
  await publish(publisher, "gone.x", 20);
  await until("all are handled", () => early.handled.length === 20);
  await early.app.stop();
  // It is declared where the topic ends, so that what comes from there on counts.
  const late = reader(space, "late");
  await late.app.start();
  await late.app.stop();
  await deleteTopic(`${space.prefix}.gone`);
  const ids = await publish(publisher, "gone.x", 40);
  for (const useCase of ["early", "late"]) {
    const again = reader(space, useCase);
    await again.app.start();
    await until(`all 40 are handled by ${useCase}`, () => new Set(again.handled).size >= 40);
    expect(again.handled.toSorted()).toEqual(ids.toSorted());
  }
});

test("L8 a topic that is deleted and made anew while apps run is read from its beginning, and the log tells of it", async () => {
  const space = new Space();
  const warn = vi.fn();
  const { app, handled } = reader(space, "running", { logger: { ...quiet, warn } });
  await app.start();
  await publish(app, "gone.x", 20);
  await until("all are handled", () => handled.length === 20);
  await deleteTopic(`${space.prefix}.gone`);
  const ids = await publish(app, "gone.x", 40);
  await until("all 40 are handled", () => ids.every((id) => handled.includes(id)));
  expect(handled).toHaveLength(60);
  expect(JSON.stringify(warn.mock.calls)).toContain("made anew");
  await deleteTopic(`${space.prefix}.gone`);
  await until("it is made again although nobody publishes", () =>
    withAdmin(brokerUri(), async (admin) => (await admin.listTopics()).includes(`${space.prefix}.gone`)),
  );
});

test("L8 a registry that is deleted while apps run is soon whole again, for whoever comes later", async () => {
  const space = new Space();
  const { app, handled } = reader(space, "running");
  await app.start();
  const operator = await space.connect({}, { operator: true });
  await operator.administration?.pause("running");
  await operator.administration?.resume("running");
  await publish(app, "gone.x", 5);
  await deleteTopic(`${space.prefix}--registry`);
  const later = await space.connect({}, { operator: true });
  await until(
    "the use case is known again",
    async () => (await later.administration?.useCases())?.join() === "running",
    8_000,
  );
  expect((await later.inspect("running")).dead).toBe(0);
  // Whoever declares it now does not begin at the end.
  await app.stop();
  await publishLate(space, 10);
  const again = reader(space, "running");
  await again.app.start();
  await until("all are handled", () => handled.length + again.handled.length === 15);
});

async function publishLate(space: Space, count: number): Promise<void> {
  const publisher = space.app();
  await publisher.start();
  await publish(publisher, "gone.x", count);
  await publisher.stop();
}
