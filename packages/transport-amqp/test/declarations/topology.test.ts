import { LIMITED } from "@papa-events/conformance/brokers";
import { expect, inject, onTestFinished, test } from "vitest";
import { brokerUrlWith, Space } from "../support/broker.ts";
import { failure } from "../support/failure.ts";

test.runIf(inject("ownRabbitmq"))(
  "L4 an account that may not declare is refused access, with what it may not",
  async () => {
    const denied = brokerUrlWith((url) => {
      url.username = LIMITED.user;
      url.password = LIMITED.password;
      url.searchParams.set("prefix", "denied");
    });
    const error = await failure(denied);
    expect(error.code).toBe("access-refused");
    expect(error.message).toContain("denied/domain_events");
  },
);

test("L1 a queue of other properties is a conflict that names it and the difference", async () => {
  const space = new Space();
  const channel = await space.channel();
  await channel.assertQueue(space.name("uc"), { durable: true, arguments: { "x-queue-type": "classic" } });
  const error = await failure(space.url());
  expect(error).toMatchObject({ code: "topology-conflict", details: { object: `queue "${space.name("uc")}"` } });
  expect((error.details as { difference: string }).difference).toMatch(/inequivalent arg/);
});

test("L1 an exchange of another type is a conflict", async () => {
  const space = new Space();
  const channel = await space.channel();
  await channel.assertExchange(space.name("domain_events"), "fanout");
  onTestFinished(async () => {
    const again = await space.channel();
    await again.deleteExchange(space.name("domain_events"));
  });
  const error = await failure(space.url());
  expect(error).toMatchObject({ code: "topology-conflict" });
  expect(error.message).toContain("domain_events");
});
