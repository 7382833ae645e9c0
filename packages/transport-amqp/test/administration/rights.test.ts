import { deadLetters, PapaApp } from "@papa-events/core";
import { operator } from "@papa-events/core/operator";
import { amqp } from "@papa-events/transport-amqp";
import { expect, onTestFinished, test } from "vitest";
import { accounts, hasAccounts } from "../support/accounts.ts";
import { quiet, Space } from "../support/broker.ts";
import { until } from "../support/wait.ts";

test.runIf(hasAccounts)(
  "rights: the accounts of the guide suffice for an app that handles, one that publishes, an operator who acts and one who reads; the latter changes nothing",
  { timeout: 120_000 },
  async () => {
    const space = new Space();
    space.cleans.push("outputs");
    const url = await accounts(space);
    const warnings: unknown[] = [];
    const logger = {
      ...quiet,
      warn: (...all: unknown[]) => void warnings.push(all),
      error: (...all: unknown[]) => void warnings.push(all),
    };
    const handled: string[] = [];
    const app = (part: string) => {
      const made = new PapaApp({ transport: amqp(url(part)), logger, name: part });
      onTestFinished(() => made.stop());
      return made;
    };
    const handling = app("handles")
      .onEvent("x", { useCase: "uc", retries: 1, retryDelay: 100 }, (payload, { attempt }) => {
        handled.push(`${payload} ${attempt}`);
        if (payload === "fails" || attempt === 1) throw new Error(String(payload));
        return { name: "out", payload: 1 };
      })
      .onEvent("out", { useCase: "outputs" }, () => void handled.push("output"));
    await handling.start();
    const publishing = app("publishes");
    await publishing.start();
    await publishing.newEvents([
      { name: "x", payload: "passes" },
      { name: "x", payload: "fails" },
    ]);
    await until("all is handled", () => handled.includes("output"));
    await until("one is dead", async () => (await handling.stats()).uc?.dead === 1);
    expect(handling.health()).toMatchObject({ healthy: true });
    expect(publishing.health()).toMatchObject({ healthy: true });
    // What the handler threw is told, and nothing else.
    expect(warnings.filter((each) => !JSON.stringify(each).includes('"eventName":"x"'))).toEqual([]);

    const reading = operator(amqp(url("reads")), { logger: quiet });
    onTestFinished(() => reading.close());
    expect(await reading.useCases()).toMatchObject([{ name: "outputs" }, { name: "uc", stats: { dead: 1 } }]);
    const letters = reading.deadLetters("uc");
    // More often than anything may be returned.
    for (let look = 0; look < 12; look += 1) expect((await letters.list()).items).toHaveLength(1);
    const [item] = (await letters.list()).items;
    expect(await letters.get(item?.id ?? "")).toMatchObject({ eventName: "x", payload: "fails" });
    const shown: unknown[] = [];
    const controller = new AbortController();
    const watching = (async () => {
      for await (const event of reading.tail("#", { signal: controller.signal })) shown.push(event.name);
    })();
    await until("it shows events", async () => {
      await publishing.newEvent("out", 2);
      return shown.length > 0;
    });
    controller.abort();
    await watching;
    await reading.diagnose();
    const refused = { code: "access-refused" };
    await expect(letters.redrive("all")).rejects.toMatchObject(refused);
    await expect(letters.purge("all")).rejects.toMatchObject(refused);
    await expect(letters.purge([item?.id ?? ""])).rejects.toMatchObject(refused);
    await expect(reading.pause("uc")).rejects.toMatchObject(refused);
    await expect(reading.remove("uc")).rejects.toMatchObject(refused);
    await expect(reading.publish("x", 1)).rejects.toMatchObject(refused);
    expect(await letters.count()).toBe(1);

    // Who publishes can neither handle nor look at dead letters.
    await using publisher = deadLetters(amqp(url("publishes")), "uc");
    await expect(publisher.list()).rejects.toMatchObject(refused);

    const acting = operator(amqp(url("acts")), { logger: quiet });
    onTestFinished(() => acting.close());
    await acting.pause("uc");
    expect((await acting.stats("uc")).uc?.paused).toBe(true);
    await acting.resume("uc");
    expect(await acting.deadLetters("uc").redrive("all")).toBe(1);
    await until("it is dead again", async () => (await acting.stats("uc")).uc?.dead === 1);
    expect(await acting.deadLetters("uc").purge("all")).toBe(1);
    await handling.stop();
    await acting.remove("outputs", { deadLetters: "purge" });
    expect((await acting.useCases()).map(({ name }) => name)).toEqual(["uc"]);
  },
);

test.runIf(hasAccounts)(
  "L8, rights: who may only publish makes no exchange that would confirm what reaches nobody, and waits for who may bind it",
  { timeout: 60_000 },
  async () => {
    const space = new Space();
    const url = await accounts(space);
    const handled: unknown[] = [];
    const handling = () =>
      new PapaApp({ transport: amqp(url("handles")), logger: quiet }).onEvent("x", { useCase: "uc" }, (n) => {
        handled.push(n);
      });
    const first = handling();
    await first.start();
    const publishing = new PapaApp({ transport: amqp(url("publishes")), logger: quiet });
    onTestFinished(() => publishing.stop());
    await publishing.start();
    await publishing.newEvent("x", 1);
    await until("it is handled", () => handled.length === 1);
    await first.stop();
    const channel = await space.channel();
    await channel.deleteExchange(space.name("domain_events"));
    const waiting = publishing.newEvent("x", 2);
    await until("it is refused", () => !publishing.health().healthy);
    await expect(channel.checkExchange(space.name("domain_events"))).rejects.toThrow("NOT_FOUND");
    const second = handling();
    onTestFinished(() => second.stop());
    await second.start();
    await waiting;
    await until("it is handled", () => handled.length === 2);
  },
);
