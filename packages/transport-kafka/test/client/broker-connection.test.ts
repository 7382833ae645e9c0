import { expect, onTestFinished, test } from "vitest";
import { BrokerConnection } from "../../src/client/broker-connection.ts";
import type { EncodedRequest, Engine } from "../../src/client/engine.ts";
import { loadEngine } from "../../src/client/load-engine.ts";
import type { EngineName } from "../../src/client/options.ts";
import { clientTo } from "../support/admin.ts";
import { brokerUri } from "../support/space.ts";
import { ENGINES } from "./engines.ts";

const PARTITIONS = [{ topic: "none", partition: 0, offset: 0 }];
const LIMITS = { wait: 0, bytes: 1_000, bytesPerPartition: 1_000 };
const numbers = (count: number) => Array.from({ length: count }, (_, number) => number);

/** Makes a client that knows the broker, and a function whose fetch resolves to its outcome. */
async function fetching(engine: EngineName) {
  const client = clientTo(brokerUri(), undefined, await loadEngine(engine));
  onTestFinished(() => client.close());
  const { nodes } = await client.metadata("all");
  const [node = -1] = nodes;
  const fetch = () =>
    client.fetch(node, PARTITIONS, LIMITS).then(
      () => "answered",
      ({ type }: { type: string }) => type,
    );
  return { client, fetch };
}

/** Interrupts a fetch, and expects it to end soon. */
async function interrupt(client: { interruptFetches(): void }, fetch: Promise<string>): Promise<void> {
  const begun = performance.now();
  client.interruptFetches();
  expect(await fetch).toMatch(/^(CONNECTION|answered)$/);
  expect(performance.now() - begun).toBeLessThan(1_000);
}

/**
 * An instance that is evicted twice in a row closes the connection for its fetches while it is still opening. kafkajs did not
 * notice and kept waiting: nothing was fetched until `connectTimeout` had passed.
 */
test.each(ENGINES)("L3 a fetch that is interrupted while it connects ends at once (%s)", async (engine) => {
  for (const turns of numbers(20)) {
    const { client, fetch } = await fetching(engine);
    const fetched = fetch();
    for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    await interrupt(client, fetched);
    client.close();
  }
});

test.each(ENGINES)("L3 a fetch that is interrupted while it is encoded ends at once (%s)", async (engine) => {
  for (const turns of numbers(40)) {
    const { client, fetch } = await fetching(engine);
    await fetch();
    const fetched = fetch();
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
    await interrupt(client, fetched);
    client.close();
  }
});

/** Heartbeats, up to version 2. */
const VERSIONS = Buffer.from("0000" + "00000001" + "000c00000002" + "00000000", "hex");

/** A connection to a broker that tells its versions, and answers the rest as it is told to. */
function connectionTo(answer: (request: EncodedRequest) => Promise<Buffer>, requestTimeout = 10_000) {
  const seen = { destroyed: 0, ended: 0, drop: () => {} };
  const engine: Engine = (_, onEnd) => {
    seen.drop = onEnd;
    return {
      connect: async () => {},
      login: async () => {},
      send: (request) => (request.api === "ApiVersions" ? Promise.resolve(VERSIONS) : answer(request)),
      destroy: () => {
        seen.destroyed += 1;
      },
    };
  };
  const connection = new BrokerConnection(
    "broker",
    1,
    {
      engine,
      brokers: [],
      clientId: "test",
      requestTimeout,
      connectTimeout: 1_000,
      route: (host, port) => ({ host, port }),
    },
    () => {
      seen.ended += 1;
    },
  );
  const heartbeat = () => connection.send<object>("Heartbeat", { groupId: "", groupGenerationId: 0, memberId: "" });
  return { connection, heartbeat, seen };
}

const never = () => new Promise<Buffer>(() => {});

test("L3 a request that is not answered in time ends the connection, for all that wait for it", async () => {
  const { connection, heartbeat, seen } = connectionTo(never, 100);
  const first = expect(heartbeat()).rejects.toMatchObject({ type: "TIMEOUT", retriable: true });
  await expect(heartbeat()).rejects.toMatchObject({ type: expect.stringMatching(/TIMEOUT|CONNECTION/) });
  await first;
  expect(connection.usable).toBe(false);
  await expect(heartbeat()).rejects.toMatchObject({ type: "CONNECTION" });
  expect(seen).toMatchObject({ destroyed: 1, ended: 1 });
});

test("L3 a connection that is lost ends what waits for it, whatever its engine does with that", async () => {
  const { connection, heartbeat, seen } = connectionTo(never);
  await connection.opened();
  const waiting = heartbeat();
  expect(connection.idle).toBe(false);
  seen.drop();
  await expect(waiting).rejects.toMatchObject({ type: "CONNECTION", retriable: true });
  expect(connection.usable).toBe(false);
  expect(seen).toMatchObject({ destroyed: 1, ended: 1 });
});

/** The broker would not read it, while its time limit runs. */
test("P3 what a broker does not want to read yet waits, and ends with the connection", async () => {
  const sent: number[] = [];
  const throttled = (milliseconds: number) => {
    const response = Buffer.alloc(6);
    response.writeInt32BE(milliseconds);
    return response;
  };
  const { connection, heartbeat } = connectionTo(async () => {
    sent.push(performance.now());
    return throttled(sent.length === 1 ? 300 : 10_000);
  });
  await heartbeat();
  await heartbeat();
  expect((sent[1] ?? 0) - (sent[0] ?? 0)).toBeGreaterThan(290);
  const held = heartbeat();
  expect(connection.idle).toBe(false);
  connection.end();
  await expect(held).rejects.toMatchObject({ type: "CONNECTION" });
  expect(sent).toHaveLength(2);
});
