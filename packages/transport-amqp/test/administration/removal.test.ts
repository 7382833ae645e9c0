import { expect, test } from "vitest";
import { declaration, Space } from "../support/broker.ts";
import { asOriginal, declareAsOriginal, json } from "../support/original.ts";
import { until } from "../support/wait.ts";

test("R9 a removal leaves no queue, and nobody who ran the use case makes one anew", async () => {
  const space = new Space();
  const told: string[] = [];
  const connection = await space.connect({ onProblem: (subject, problem) => void told.push(`${subject}: ${problem}`) });
  const declared = [declaration("uc", "x"), declaration("other", "x")];
  await connection.declarations.declare(declared);
  await connection.subscribe("uc", { readAhead: 5, declaration: "x" }, (delivery) => {
    void delivery.settle({ kind: "retry", delay: 3_000, event: retried }).catch(() => {});
  });
  const retried = { name: "x", id: "1", time: 0, headers: { ce_type: "x" }, body: json(1) };
  await connection.publish([retried]);
  await until("it waits", async () => (await connection.inspect("uc")).waiting === 1);
  const operator = await space.connect({ operator: true });
  expect(await operator.administration?.remove("uc", "purge")).toBe(true);
  await until("it is told", () => told.length > 0);
  await connection.declarations.declare(declared);
  await connection.declarations.declare([declaration("uc", "x"), declaration("other", "x")]);
  expect(told).toHaveLength(1);
  expect(told[0]).toMatch(/^consuming "uc": .*removed by an operator/);
  for (const queue of ["uc", "uc.retry", "uc.dlq", "uc.retry.3000"])
    await expect(space.size(queue), queue).rejects.toThrow("NOT_FOUND");
  expect(await space.size("other")).toBe(1);
});

test("R9 a use case of the Python original is removed, and its binding can be taken away alone", async () => {
  const space = new Space();
  const channel = await space.channel();
  await declareAsOriginal(channel, space, "uc", "user.created");
  const operator = await space.connect({ operator: true });
  channel.publish(space.name("domain_events"), "user.created", json(1), asOriginal);
  await until("it is routed", async () => (await space.size("uc")) === 1);
  await operator.declarations.withdraw("uc", ["user.created"], 0);
  channel.publish(space.name("domain_events"), "user.created", json(2), asOriginal);
  await channel.waitForConfirms();
  expect(await space.size("uc")).toBe(1);
  expect(await operator.administration?.remove("uc", "purge")).toBe(true);
  await expect(space.size("uc")).rejects.toThrow("NOT_FOUND");
  expect(await operator.administration?.remove("uc", "purge")).toBe(false);
});
