import type { ReceivedEvent, TailListener } from "@papa-events/core/transport";
import { expect, test } from "vitest";
import { makeTopic, produceFrom, withAdmin } from "../support/admin.ts";
import { brokerUri, event, publish, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

function watching() {
  const events: ReceivedEvent[] = [];
  const errors: Error[] = [];
  const seen = { dropped: 0 };
  const listener: TailListener = {
    onEvent: (each) => void events.push(each),
    onDropped: (count) => void (seen.dropped += count),
    onEnd: (error) => void errors.push(error),
  };
  return { events, errors, seen, listener, bodies: () => events.map(({ body }) => body.toString()).sort() };
}

test("a tail shows what is published from then on, in topics of before and of later, and leaves nothing behind", async () => {
  const space = new Space();
  const publisher = await space.connect();
  await publish(publisher, [event("user.created", "before")]);
  const groups = async () =>
    (await withAdmin(brokerUri(), (admin) => admin.listGroups())).groups.filter(({ groupId }) =>
      groupId.startsWith(space.prefix),
    );
  const operator = await space.connect({}, { operator: true });
  const all = watching();
  const some = watching();
  await operator.administration?.tail(["#"], all.listener);
  const tail = await operator.administration?.tail(["user.*", "user.created"], some.listener);
  await publish(publisher, [event("user.created", 1), event("user.deleted.hard", 2), event("order.paid", 3)]);
  await produceFrom(brokerUri(), `${space.prefix}.user`, { value: "4", headers: { ce_type: "user.renamed" } });
  await until("all are shown", () => all.events.length === 4 && some.events.length === 2);
  expect(all.bodies()).toEqual(["1", "2", "3", "4"]);
  expect(some.bodies()).toEqual(["1", "4"]);
  expect(await groups()).toEqual([]);
  await tail?.stop();
  await tail?.stop();
  await publish(publisher, [event("user.created", 5)]);
  await until("the other shows it", () => all.events.length === 5);
  expect(some.events.length).toBe(2);
  await operator.close();
  expect(all.errors.length).toBe(1);
  expect(some.errors).toEqual([]);
});

test("a tail says how many events it has missed that the broker has deleted", async () => {
  const space = new Space();
  const topic = `${space.prefix}.short`;
  await makeTopic(brokerUri(), topic, {});
  const publisher = await space.connect();
  const { proxy, options } = await space.proxy();
  const operator = await space.connect(options, { operator: true });
  const seen = watching();
  await operator.administration?.tail(["short"], seen.listener);
  await publish(publisher, [event("short", 1)]);
  await until("the first is shown", () => seen.events.length === 1);
  proxy.stall();
  await publish(publisher, [event("short", 2), event("short", 3), event("short", 4)]);
  await withAdmin(brokerUri(), (admin) =>
    admin
      .fetchTopicOffsets(topic)
      .then(() => admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: "3" }] })),
  );
  proxy.flow();
  await until("the last is shown", () => seen.bodies().includes("4"));
  expect(seen.seen.dropped + seen.events.length).toBe(4);
});

test("a tail ends with an error when the brokers are away", async () => {
  const space = new Space();
  const { proxy, options } = await space.proxy();
  const operator = await space.connect(options, { operator: true });
  const seen = watching();
  const tail = await operator.administration?.tail(["#"], seen.listener);
  proxy.refuse();
  await until("it ends", () => seen.errors.length === 1);
  expect(seen.errors[0]).toMatchObject({ code: "connection-failed", retryable: true });
  await tail?.stop();
});
