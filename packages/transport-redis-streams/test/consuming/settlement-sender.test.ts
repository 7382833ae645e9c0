import type { Delivery } from "@papa-events/core/transport";
import { expect, onTestFinished, test, vi } from "vitest";
import { toPapaError } from "../../src/client/errors.ts";
import { ReconnectingConnection } from "../../src/client/reconnecting-connection.ts";
import { HeldBytes } from "../../src/consuming/held-bytes.ts";
import { Ledger } from "../../src/consuming/ledger.ts";
import { type SendSettlements, SettlementSender } from "../../src/consuming/settlement-sender.ts";
import { settleWithOutputs } from "../../src/scripts/settle-with-outputs.ts";
import { Keys } from "../../src/wire/keys.ts";
import { delivered, encoded } from "../support/events.ts";
import { declared, quiet, Space } from "../support/space.ts";
import { until } from "../support/wait.ts";

test("H1 a settlement whose reply was lost is sent again and applied once", async () => {
  const space = new Space({ lease: 60_000 });
  const proxy = await space.proxy();
  const publisher = await space.connect();
  await publisher.declarations.declare([declared("uc", "x"), declared("sink", "out")]);
  const deliveries: Delivery[] = [];
  const consumer = await space.connect({ address: proxy.uri });
  await consumer.subscribe("uc", { readAhead: 200, declaration: "any" }, (delivery) => deliveries.push(delivery));
  for (let round = 1; round <= 10; round += 1) {
    await publisher.publish(Array.from({ length: 20 }, (_, n) => encoded("x", n)));
    await until("they are out", () => deliveries.length === 20);
    const settling = deliveries.splice(0).map((delivery, n) => {
      if (n % 4 === 0) return delivery.settle({ kind: "dead", id: `${round}-${n}`, event: encoded("x", n) });
      if (n % 4 === 1) return delivery.settle({ kind: "retry", delay: 3_600_000, event: encoded("x", n) });
      return delivery.settle({ kind: "done", outputs: [encoded("out", n)] });
    });
    await new Promise((resolve) => setImmediate(resolve));
    proxy.cut();
    expect(new Set(await Promise.all(settling))).toEqual(new Set(["stored"]));
    expect(await publisher.inspect("uc")).toEqual({ ready: 0, inFlight: 0, waiting: round * 5, dead: round * 5 });
    expect((await publisher.inspect("sink")).ready).toBe(round * 10);
  }
});

test("L3 a settlement that the server refuses for good harms no other in its script", async () => {
  const space = new Space();
  const connection = await space.connect();
  await connection.declarations.declare([declared("uc", "x")]);
  const deliveries: Delivery[] = [];
  await connection.subscribe("uc", { readAhead: 10, declaration: "any" }, (delivery) => deliveries.push(delivery));
  await connection.publish([encoded("x", 1), encoded("x", 2), encoded("x", 3)]);
  await until("three are out", () => deliveries.length === 3);
  await space.redis.set(space.key("dead:uc"), "not a hash");
  const [done, dead, retry] = deliveries;
  const settled = await Promise.allSettled([
    done?.settle({ kind: "done", outputs: [] }),
    dead?.settle({ kind: "dead", id: "dead-letter", event: encoded("x", 2) }),
    retry?.settle({ kind: "retry", delay: 3_600_000, event: encoded("x", 3) }),
  ]);
  expect(settled.map(({ status }) => status)).toEqual(["fulfilled", "rejected", "fulfilled"]);
  await space.redis.del(space.key("dead:uc"));
  await dead?.settle({ kind: "dead", id: "dead-letter", event: encoded("x", 2) });
  expect(await connection.inspect("uc")).toEqual({ ready: 0, inFlight: 0, waiting: 1, dead: 1 });
});

test("H1 outputs that many use cases want are stored by scripts of bounded length, each once", async () => {
  const space = new Space({ lease: 60_000 });
  const connection = await space.connect();
  const sinks = Array.from({ length: 40 }, (_, n) => `sink-${n}`);
  await connection.declarations.declare([declared("uc", "x"), ...sinks.map((name) => declared(name, "out"))]);
  const deliveries: Delivery[] = [];
  await connection.subscribe("uc", { readAhead: 100, declaration: "any" }, (delivery) => deliveries.push(delivery));
  await connection.publish(Array.from({ length: 100 }, (_, n) => encoded("x", n)));
  await until("all are out", () => deliveries.length === 100);
  const scripts = vi.spyOn(ReconnectingConnection.prototype, "run");
  onTestFinished(() => scripts.mockRestore());
  const settled = deliveries.map((delivery, n) => delivery.settle({ kind: "done", outputs: [encoded("out", n)] }));
  expect(new Set(await Promise.all(settled))).toEqual(new Set(["stored"]));
  for (const name of sinks) expect((await connection.inspect(name)).ready).toBe(100);
  const calls = scripts.mock.calls.filter(([script]) => script === settleWithOutputs).length;
  // Some 512 entries a script, of four thousand.
  expect([calls >= 7, calls <= 10]).toEqual([true, true]);
});

test("H8 a settlement of which no command can be made is refused, and harms no other", async () => {
  const connection = {
    closed: false,
    up: true,
    whenUp: async () => {},
    toPapaError: (error: unknown) => toPapaError(error, "redis://localhost"),
  } as unknown as ReconnectingConnection;
  const ledger = new Ledger("me", new HeldBytes(1_000));
  const send: SendSettlements = async (settlements) => {
    if (settlements.some(({ settlement }) => settlement.kind === "retry")) throw new RangeError("too deep");
    return { leaseEnded: false, lost: [] };
  };
  const options = { keys: new Keys("x").forUseCase("uc"), connection, logger: quiet, ledger };
  const sender = new SettlementSender(
    { ...options, onSettled: () => {}, onLeaseEnded: async () => {}, onProblem: () => {} },
    send,
  );
  const settled = ["release", "retry", "release"].map((kind, n) => {
    const delivery = delivered(`${n}-0`);
    ledger.add(delivery);
    if (kind === "release") return sender.settle(delivery, { kind });
    return sender.settle(delivery, { kind: "retry", delay: 1, event: encoded("x", n) });
  });
  const [first, second, third] = await Promise.allSettled(settled);
  expect([first, third]).toEqual([
    { status: "fulfilled", value: "stored" },
    { status: "fulfilled", value: "stored" },
  ]);
  expect(second).toMatchObject({ status: "rejected", reason: { retryable: false } });
  expect(ledger.size).toBe(1);
});
