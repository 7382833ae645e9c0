import { expect, test } from "vitest";
import { declaration, Space } from "../support/broker.ts";
import { json } from "../support/original.ts";

test("diagnose tells of what is missing, stands still or was left behind, and connecting makes nothing", async () => {
  const space = new Space();
  const operator = await space.connect({ operator: true });
  const told = async () => {
    const findings = (await operator.administration?.diagnose()) ?? [];
    return findings.filter(({ severity }) => severity !== "info").map(({ what }) => what);
  };
  const version = (await space.version()) < 4 ? 1 : 0;
  expect(await told()).toHaveLength(version);
  await expect(space.size("domain_events:registry")).rejects.toThrow("NOT_FOUND");
  const connection = await space.connect();
  await connection.declarations.declare([declaration("a", "x"), declaration("b", "x")]);
  expect(await told()).toHaveLength(version);
  await connection.publish([{ name: "x", id: "1", time: 0, headers: { ce_type: "x" }, body: json(1) }]);
  const channel = await space.channel();
  await channel.deleteQueue(space.name("b.dlq"));
  await channel.deleteExchange(space.name("domain_events.dlq"));
  const found = (await told()).join("\n");
  expect(found).toContain(`Nobody consumes the queue "${space.name("a")}", where 1 events wait.`);
  expect(found).toContain(`The queue "${space.name("b.dlq")}" of the use case "b" is missing.`);
  expect(found).toContain(`The exchange "${space.name("domain_events.dlq")}" is missing.`);
  await operator.administration?.pause("a");
  expect((await told()).join("\n")).not.toContain(`the queue "${space.name("a")}"`);
  await operator.administration?.resume("a");
});
