import type { Connection, ConnectOptions, Delivery, EncodedEvent } from "@papa-events/core/transport";
import { describe, expect, it, onTestFinished } from "vitest";
import { type MemoryTransport, memory, virtualClock } from "../../src/index.ts";
import { silent } from "../support.ts";

const DONE = { kind: "done", outputs: [] } as const;
const event = (name: string): EncodedEvent => ({ name, id: name, time: 0, headers: {}, body: Buffer.from("{}") });
const turns = async () => {
  for (let turn = 0; turn < 3; turn += 1) await new Promise((resolve) => setImmediate(resolve));
};

async function connect(transport: MemoryTransport, options: Partial<ConnectOptions> = {}) {
  const defaults = {
    appName: "test",
    logger: silent,
    maxHeldBytes: 1_000_000,
    onStatus: () => {},
    onProblem: () => {},
  };
  const connection = await transport.connect({ ...defaults, ...options });
  onTestFinished(() => connection.close());
  const { administration } = connection;
  if (administration === undefined) throw new Error("There is one.");
  return { connection, administration };
}

async function consume(connection: Connection, useCase: string, readAhead: number): Promise<Delivery[]> {
  const deliveries: Delivery[] = [];
  await connection.declarations.declare([{ name: useCase, patterns: [useCase], id: "one" }]);
  await connection.subscribe(useCase, { readAhead, declaration: "one" }, (delivery) => deliveries.push(delivery));
  return deliveries;
}

describe("removing a use case", () => {
  it("R9 frees the bytes of what was handed out, so that the other use cases of the app go on", async () => {
    const transport = memory();
    const { administration } = await connect(transport);
    const { connection } = await connect(transport, { maxHeldBytes: 5 });
    const going = await consume(connection, "going", 10);
    const staying = await consume(connection, "staying", 10);
    await connection.publish([event("going"), event("going"), event("staying")]);
    await turns();
    await connection.publish([event("staying")]);
    await turns();
    const before = staying.length;
    await administration.remove("going", "purge");
    await turns();
    for (const delivery of staying) await delivery.settle(DONE);
    await turns();
    expect([going.length > 0, before < 2, staying.length]).toEqual([true, true, 2]);
    expect(going.map(({ lost }) => lost)).toEqual(going.map(() => true));
    expect(await going[0]?.settle(DONE)).toBe("lost");
  });

  it("R9 what is redriven into what is left of it waits for whoever declares it anew", async () => {
    const transport = memory();
    const { connection, administration } = await connect(transport);
    const [delivery] = await consumed(connection, "kept");
    await delivery?.settle({ kind: "dead", id: "letter", event: event("kept") });
    expect(await administration.remove("kept", "keep")).toBe(true);
    const { connection: other } = await connect(transport);
    const letters = other.deadLetters("kept");
    expect(await letters.redrive("all", () => event("kept"))).toBe(1);
    expect(await administration.useCases()).toEqual(["kept"]);
    expect(await other.inspect("kept")).toEqual({ ready: 1, inFlight: 0, waiting: 0, dead: 0 });
    const deliveries = await consume(other, "kept", 1);
    await turns();
    expect(deliveries.map(({ event: { id } }) => id)).toEqual(["kept"]);
  });

  it("R9 what is left of it is forgotten with its last dead letter", async () => {
    const transport = memory();
    const { connection, administration } = await connect(transport);
    const [delivery] = await consumed(connection, "kept");
    await delivery?.settle({ kind: "dead", id: "letter", event: event("kept") });
    await administration.remove("kept", "keep");
    await connection.deadLetters("kept").purge("all");
    expect(await administration.useCases()).toEqual([]);
    expect(await administration.remove("kept", "keep")).toBe(false);
  });

  it("R9 an app that ran it cannot subscribe to it anew, although another has declared it since", async () => {
    const transport = memory();
    const { connection, administration } = await connect(transport);
    await consumed(connection, "gone");
    await administration.remove("gone", "purge");
    await expect(connection.subscribe("gone", { readAhead: 1, declaration: "one" }, () => {})).rejects.toThrow(
      /"gone"/,
    );
    const { connection: other } = await connect(transport);
    await consume(other, "gone", 1);
    await expect(connection.subscribe("gone", { readAhead: 1, declaration: "one" }, () => {})).rejects.toThrow(
      /"gone"/,
    );
  });

  it("R9 forgets the trials of its events", async () => {
    const transport = memory();
    const { connection, administration } = await connect(transport);
    await consumed(connection, "tried");
    await connection.trials?.begin("tried", "event", "first");
    await connection.trials?.begin("other", "event", "first");
    await administration.remove("tried", "purge");
    expect(await connection.trials?.begin("tried", "event", "second")).toBe(0);
    expect(await connection.trials?.begin("other", "event", "second")).toBe(1);
  });
});

describe("diagnosing", () => {
  it("L6 tells that all is lost at the end of the process, and of events whose apps died more than once", async () => {
    const transport = memory({ clock: virtualClock() });
    const dying = async () => {
      const { connection } = await connect(transport);
      await consume(connection, "deadly", 10);
      await connection.publish([event("deadly")]);
      await turns();
      transport.crash();
    };
    for (let death = 0; death < 2; death += 1) await dying();
    const { administration } = await connect(transport);
    const findings = await administration.diagnose();
    expect(findings.map(({ severity, what }) => `${severity}: ${what}`)).toEqual([
      "info: The broker is in the memory of this process.",
      'warning: The use case "deadly" has 1 events that came back more than once from apps that died.',
    ]);
  });
});

/** What one event of a use case is delivered as. */
async function consumed(connection: Connection, useCase: string): Promise<Delivery[]> {
  const deliveries = await consume(connection, useCase, 1);
  await connection.publish([event(useCase)]);
  await turns();
  return deliveries;
}
