import { isPapaError } from "@papa-events/core";
import type { Delivery } from "@papa-events/core/transport";
import { expect, test, vi } from "vitest";
import { groupOf, withAdmin } from "../support/admin.ts";
import { brokerUri, declare, event, idOf, publish, quiet, Space, subscribing } from "../support/space.ts";
import { until } from "../support/wait.ts";

const topicsOf = async ({ prefix }: Space) =>
  (await withAdmin(brokerUri(), (admin) => admin.listTopics())).filter((topic) => topic.startsWith(prefix)).sort();

test("R9 a use case is removed with its topics, its group, what waits and what is dead", async () => {
  const space = new Space();
  const connection = await space.connect();
  await declare(connection, "kept", ["a"]);
  await declare(connection, "gone", ["a"]);
  await connection.subscribe("gone", subscribing(10), (delivery) => {
    const { name = "", id = "", time = 0 } = delivery.event;
    const again = { name, id, time, headers: { ce_id: id, ce_type: name }, body: delivery.event.body };
    if (delivery.event.body.toString() === '"dead"') void delivery.settle({ kind: "dead", id, event: again });
    else void delivery.settle({ kind: "retry", delay: 60_000, event: again });
  });
  await publish(connection, [event("a", "late"), event("a", "dead")]);
  await until("one waits and one is dead", async () => {
    const { waiting, dead } = await connection.inspect("gone");
    return waiting === 1 && dead === 1;
  });
  const operator = (await space.connect({}, { operator: true })).administration;
  expect(await operator?.useCases()).toEqual(["gone", "kept"]);
  expect(await operator?.remove("gone", "purge")).toBe(true);
  expect(await operator?.useCases()).toEqual(["kept"]);
  expect(await operator?.remove("gone", "purge")).toBe(false);
  const { prefix } = space;
  const left = await topicsOf(space);
  expect(left).toEqual(
    [`${prefix}--dead-kept`, `${prefix}--delays`, `${prefix}--ready-kept`, `${prefix}--registry`, `${prefix}.a`].sort(),
  );
  expect((await groupOf(brokerUri(), space.group("gone")))?.state).toBe("Dead");
  await expect(connection.inspect("gone")).rejects.toThrow(/gone/);
  // Declared anew, nothing of it comes back.
  const again = await space.connect();
  await declare(again, "gone", ["a"]);
  expect(await again.inspect("gone")).toEqual({ ready: 0, inFlight: 0, waiting: 0, dead: 0 });
  const deliveries: Delivery[] = [];
  await again.subscribe("gone", subscribing(10), (delivery) => deliveries.push(delivery));
  await publish(again, [event("a", "new")]);
  await until("the new one is delivered", () => deliveries.length > 0);
  expect(deliveries.map(({ event: { body } }) => body.toString())).toEqual(['"new"']);
});

test("R9 an instance that still runs it is told once, and neither it nor a publisher makes anything of it anew", async () => {
  const space = new Space();
  const error = vi.fn();
  const problems = new Map<string, string | undefined>();
  const connection = await space.connect(
    {},
    {
      logger: { ...quiet, error },
      onProblem: (subject, problem) => void problems.set(subject, problem),
    },
  );
  const patterns = ["a"];
  const declarations = [{ name: "gone", patterns, id: idOf(patterns) }];
  await connection.declarations.declare(declarations);
  const deliveries: Delivery[] = [];
  const subscription = await connection.subscribe("gone", subscribing(10), (each) => deliveries.push(each));
  await publish(connection, [event("a")]);
  await until("it is delivered", () => deliveries.length === 1);
  const operator = (await space.connect({}, { operator: true })).administration;
  await operator?.remove("gone", "keep");
  expect(problems.get('consuming "gone"')).toContain("removed by an operator");
  expect(await deliveries[0]?.settle({ kind: "dead", id: "x", event: event("a") })).toBe("lost");
  await connection.declarations.declare(declarations);
  await publish(connection, [event("a"), event("a")]);
  await subscription.stop();
  await expect(connection.subscribe("gone", subscribing(1), () => {})).rejects.toSatisfy((thrown) =>
    isPapaError(thrown, "unknown-use-case"),
  );
  expect(await operator?.useCases()).toEqual([]);
  expect(await connection.declarations.list("gone")).toEqual([]);
  expect((await topicsOf(space)).filter((topic) => topic.includes("gone"))).toEqual([]);
  expect(deliveries.length).toBe(1);
  expect(error.mock.calls.filter(([about]) => about.useCase === "gone").length).toBe(1);
  // The next start declares it anew.
  const next = await space.connect();
  await next.declarations.declare(declarations);
  expect(await operator?.useCases()).toEqual(["gone"]);
});

test("R9 dead letters that are kept can be listed and purged, and redriven when it is declared anew", async () => {
  const space = new Space();
  const connection = await space.connect();
  await declare(connection, "gone", ["a"]);
  const subscription = await connection.subscribe("gone", subscribing(10), (delivery) => {
    void delivery.settle({ kind: "dead", id: String(delivery.event.id), event: event("a") });
  });
  await publish(connection, [event("a"), event("a")]);
  await until("both are dead", async () => (await connection.deadLetters("gone").count()) === 2);
  await subscription.stop();
  await connection.close();
  const operator = await space.connect({}, { operator: true });
  await operator.administration?.remove("gone", "keep");
  expect(await operator.administration?.useCases()).toEqual(["gone"]);
  const letters = operator.deadLetters("gone");
  const { items } = await letters.list({ limit: 10, order: "oldest" });
  expect(items.length).toBe(2);
  const next = await space.connect();
  await declare(next, "gone", ["a"]);
  expect(await letters.redrive([items[0]?.id ?? ""], () => event("a", "redriven"))).toBe(1);
  const deliveries: Delivery[] = [];
  await next.subscribe("gone", subscribing(10), (delivery) => deliveries.push(delivery));
  await until("it is delivered", () => deliveries.length === 1);
  await operator.administration?.remove("gone", "keep");
  expect(await letters.purge("all")).toBe(1);
  expect(await operator.administration?.useCases()).toEqual([]);
});
