import { memory, virtualClock } from "@papa-events/transport-memory";
import { describe, expect, it } from "vitest";
import { PapaApp } from "../../src/index.ts";
import { type OperatorOptions, operator } from "../../src/operator/index.ts";
import { notingLogger } from "../handling/support.ts";
import { FakeTransport, silent, thrownBy } from "../support.ts";

/** A namespace in which two apps have run. */
async function namespace() {
  const transport = memory();
  const shop = new PapaApp({ transport, logger: silent, name: "shop" })
    .onEvent(["order.paid", "order.*"], { useCase: "ship" }, () => {})
    .onEvent("user.#", { useCase: "mail", retries: 0 }, () => {
      throw new Error("ECONNREFUSED");
    });
  const audit = new PapaApp({ transport, logger: silent, name: "audit" }).onEvent(
    "order.*",
    { useCase: "ship" },
    () => {},
  );
  await shop.start();
  await audit.start();
  await shop.newEvent("user.created", { n: 1 });
  await transport.settled();
  await shop.stop();
  await audit.stop();
  return { transport, ops: operator(transport, { logger: silent }) };
}

describe("an operator", () => {
  it("knows the use cases, who declares them and what they hold, with no app running", async () => {
    const { ops } = await namespace();
    const before = Date.now();
    const [mail, ship] = await ops.useCases();
    expect(mail).toMatchObject({ name: "mail", patterns: ["user.#"], paused: false });
    expect(mail?.stats).toEqual({ ready: 0, inFlight: 0, waiting: 0, dead: 1 });
    expect(ship?.patterns).toEqual(["order.*", "order.paid"]);
    expect(ship?.apps.map(({ name }) => name).sort()).toEqual(["audit", "shop"]);
    expect(Math.abs(before - (ship?.lastSeen?.getTime() ?? 0))).toBeLessThan(60_000);
    expect(await ops.stats()).toEqual({
      mail: { ready: 0, inFlight: 0, waiting: 0, dead: 1, paused: false },
      ship: { ready: 0, inFlight: 0, waiting: 0, dead: 0, paused: false },
    });
    await ops.close();
  });

  it("connects at the first call, as an operator, and again after close()", async () => {
    const fake = new FakeTransport();
    const ops = operator(fake, { logger: silent });
    expect(fake.connections).toBe(0);
    await expect(ops.useCases()).rejects.toMatchObject({ code: "unsupported-broker" });
    expect([fake.connections, fake.options?.operator]).toEqual([1, true]);
    await ops.close();
    expect(fake.connections).toBe(0);
    await expect(ops.diagnose()).rejects.toMatchObject({ code: "unsupported-broker" });
    expect(fake.connections).toBe(1);
    await ops.close();
  });

  it.each<[string, (ops: ReturnType<typeof operator>) => Promise<unknown>]>([
    ["stats", (ops) => ops.stats("male")],
    ["pause", (ops) => ops.pause("male")],
    ["resume", (ops) => ops.resume("male")],
    ["remove", (ops) => ops.remove("male")],
    ["unbind", (ops) => ops.unbind("male", "a")],
  ])("%s of a use case that is not there is refused", async (_, call) => {
    const { ops } = await namespace();
    await expect(call(ops)).rejects.toMatchObject({ code: "unknown-use-case", details: { useCase: "male" } });
  });

  it("refuses what is no name, pattern or option", async () => {
    const { transport, ops } = await namespace();
    expect(thrownBy(() => operator(transport, { nam: "x" } as OperatorOptions))).toMatchObject({
      code: "invalid-option",
    });
    expect(thrownBy(() => ops.deadLetters("mail.dlq"))).toMatchObject({ code: "invalid-use-case" });
    expect(thrownBy(() => ops.tail("user.>"))).toMatchObject({ code: "invalid-pattern" });
    expect(thrownBy(() => ops.tail([]))).toMatchObject({ code: "invalid-option" });
    await expect(ops.pause("mail.dlq")).rejects.toMatchObject({ code: "invalid-use-case" });
    await expect(ops.remove("mail", { deadLetters: "all" as "keep" })).rejects.toMatchObject({
      code: "invalid-option",
    });
    await expect(ops.unbind("mail", "user.**")).rejects.toMatchObject({ code: "invalid-pattern" });
  });

  it("R9 removes a use case, with its dead letters where it says so", async () => {
    const { ops } = await namespace();
    await ops.remove("ship");
    expect((await ops.useCases()).map(({ name }) => name)).toEqual(["mail"]);
    await ops.remove("mail", { deadLetters: "purge" });
    expect(await ops.useCases()).toEqual([]);
  });

  it("unbinds what no live instance declares", async () => {
    const { ops } = await namespace();
    await expect(ops.unbind("ship", "order.paid")).rejects.toMatchObject({
      code: "topology-conflict",
      message: expect.stringContaining('the app "shop" declares it'),
    });
    await ops.unbind("ship", "left.behind");
    await ops.close();
  });

  it("unbinds what nobody has declared for an hour, and leaves the rest", async () => {
    const clock = virtualClock();
    const transport = memory({ clock });
    const app = new PapaApp({ transport, logger: silent }).onEvent(
      ["order.*", "bill.*"],
      { useCase: "ship" },
      () => {},
    );
    await app.start();
    await app.stop();
    await clock.advance("1h");
    await using ops = operator(transport, { logger: silent });
    await ops.unbind("ship", "bill.*");
    expect(await ops.useCases()).toMatchObject([{ name: "ship", patterns: ["order.*"] }]);
    await ops.publishMany(["order.paid", "bill.paid"].map((name) => ({ name, payload: {} })));
    expect((await ops.stats("ship")).ship?.ready).toBe(1);
  });

  it("tails what is published, and publishes as an app would", async () => {
    const { ops } = await namespace();
    const seen = ops.tail("user.*");
    const next = seen.next();
    await expect.poll(() => ops.publish("user.seen", { n: 2 }, { headers: { color: "red" } })).toHaveProperty("id");
    const { value } = await next;
    expect(value).toMatchObject({ name: "user.seen", payload: { n: 2 }, dropped: 0 });
    expect(value?.headers).toMatchObject({ color: "red", ce_source: "papa-events%20operator" });
    await seen.return?.();
    await ops.close();
  });

  it("publishes many, or, where one is invalid, none", async () => {
    const { ops } = await namespace();
    expect(
      await ops.publishMany([
        { name: "order.paid", payload: 1 },
        { name: "order.sent", payload: 2, id: "own" },
      ]),
    ).toEqual([{ id: expect.any(String) }, { id: "own" }]);
    await expect(
      ops.publishMany([
        { name: "order.paid", payload: 1 },
        { name: "no name", payload: 2 },
      ]),
    ).rejects.toMatchObject({
      code: "invalid-event-name",
    });
    expect((await ops.stats("ship")).ship?.ready).toBe(2);
    await ops.close();
  });

  it("R5 warns when it publishes what no use case wants", async () => {
    const { transport } = await namespace();
    const { lines, logger } = notingLogger();
    await using ops = operator(transport, { logger });
    await ops.publish("oder.paid", {});
    await expect.poll(() => lines.map(([, message]) => message)).toContainEqual(expect.stringContaining('"order.'));
  });

  it("diagnoses a pause, dead letters and apps that share a use case, the gravest first", async () => {
    const { ops } = await namespace();
    await ops.pause("mail");
    const findings = await ops.diagnose();
    const about = (words: string) => findings.find(({ what }) => what.includes(words));
    expect(about('"mail" is paused')?.remedy).toContain("papa resume mail");
    expect(about('"mail" has 1 dead letters')?.severity).toBe("warning");
    expect(about('declared by "')?.what).toContain('"audit"');
    const order = findings.map(({ severity }) => ["error", "warning", "info"].indexOf(severity));
    expect(order).toEqual(order.toSorted());
  });
});
