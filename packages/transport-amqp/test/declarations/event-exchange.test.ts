import { expect, test } from "vitest";
import { connectionLostError } from "../../src/client/errors.ts";
import { EventExchange } from "../../src/declarations/event-exchange.ts";
import type { Registry } from "../../src/declarations/registry.ts";
import type { Topology } from "../../src/declarations/topology.ts";
import { quiet } from "../support/broker.ts";

/** An exchange on a broker of which a test says what is there; `calls` are what was done. */
function exchangeOf({ binds = true, mayBind = true } = {}) {
  const calls: string[] = [];
  const broker = { missing: undefined as string | undefined, onRebind: async (_: string) => {} };
  const topology = {
    exchange: "events",
    missingExchange: async () => broker.missing,
    declareExchanges: async () => {
      calls.push("declare");
      broker.missing = undefined;
    },
    mayBind: async () => mayBind,
    rebind: async (useCase: string, patterns: readonly string[]) => {
      await broker.onRebind(useCase);
      calls.push(`bind ${useCase} ${patterns}`);
    },
  };
  const list = async () => {
    calls.push("list");
    return [
      { useCase: "a", patterns: ["x", "y"] },
      { useCase: "b", patterns: ["z"] },
    ];
  };
  const exchange = new EventExchange({
    topology: topology as unknown as Topology,
    registry: { list } as unknown as Registry,
    logger: quiet,
    binds: () => binds,
  });
  return { broker, calls, exchange };
}

const REMADE = ["list", "declare", "bind a x,y", "bind b z"];

test("L8 while an exchange that was deleted is bound again, whoever publishes has something to wait for", async () => {
  const { broker, calls, exchange } = exchangeOf();
  await exchange.look();
  expect(exchange.whole()).toBeUndefined();
  expect(calls).toEqual([]);
  broker.missing = "events";
  const bound = Promise.withResolvers<void>();
  broker.onRebind = () => bound.promise;
  const looking = exchange.look();
  await expect.poll(() => calls).toContain("declare");
  // It is there, and who opens a channel now must not take it for whole.
  const [ensured, whole] = [exchange.ensure(), exchange.whole()];
  let waited = false;
  void Promise.race([ensured, whole]).then(() => {
    waited = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  expect(waited).toBe(false);
  bound.resolve();
  await Promise.all([looking, whole]);
  expect(calls.slice(0, 4)).toEqual(REMADE);
  await ensured;
  expect(exchange.whole()).toBeUndefined();
});

test("L8 what another app makes again first is bound by each that has found it missing, and a lost connection leaves it to the next try", async () => {
  const { broker, calls, exchange } = exchangeOf();
  exchange.isMissing();
  broker.onRebind = async (useCase) => {
    if (useCase === "b") throw connectionLostError("amqp://h");
  };
  await expect(exchange.whole()).rejects.toMatchObject({ code: "connection-failed" });
  broker.onRebind = async () => {};
  calls.length = 0;
  await exchange.whole();
  expect(calls).toEqual(REMADE);
  expect(exchange.whole()).toBeUndefined();
});

test("H8 one use case that cannot be bound again holds up no publishing", async () => {
  const { broker, calls, exchange } = exchangeOf();
  exchange.isMissing();
  broker.onRebind = async (useCase) => {
    if (useCase === "a") throw new Error("refused");
  };
  await exchange.whole();
  expect(calls).toEqual(["list", "declare", "bind b z"]);
  expect(exchange.whole()).toBeUndefined();
});

test("L8 who may not bind leaves a missing exchange to those who may, and waits for them", async () => {
  const { broker, calls, exchange } = exchangeOf({ binds: false, mayBind: false });
  broker.missing = "events";
  exchange.isMissing();
  await expect(exchange.whole()).rejects.toMatchObject({ code: "connection-failed", retryable: true });
  expect(calls).not.toContain("declare");
  broker.missing = undefined;
  await exchange.whole();
  expect(exchange.whole()).toBeUndefined();
  expect(calls).not.toContain("declare");
});
