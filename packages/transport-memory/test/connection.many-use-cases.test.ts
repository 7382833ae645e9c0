import { PapaApp, useCase } from "@papa-events/core";
import type { Connection, Transport } from "@papa-events/core/transport";
import { expect, it } from "vitest";
import { memory, virtualClock } from "../src/index.ts";
import { silent } from "./support.ts";

it("1,000 use cases are declared by one call, looked at by one and set one timer, and each is subscribed once", async () => {
  const clock = virtualClock();
  const inner = memory({ clock });
  const calls: Record<string, number> = {};
  /** Counts what a connection, or a part of it, is asked. */
  const counted = <T extends object>(asked: T): T =>
    new Proxy(asked, {
      get: (_, member) => {
        const value: unknown = Reflect.get(asked, member, asked);
        if (member === "declarations" || member === "trials") return counted(value as object);
        if (typeof value !== "function") return value;
        return (...args: unknown[]) => {
          calls[String(member)] = (calls[String(member)] ?? 0) + 1;
          return Reflect.apply(value, asked, args) as unknown;
        };
      },
    });
  const counting: Transport = {
    name: "counting",
    connect: async (options): Promise<Connection> => counted(await inner.connect(options)),
  };
  let timers = 0;
  const after = clock.after.bind(clock);
  clock.after = (...args) => {
    timers += 1;
    return after(...args);
  };
  const app = new PapaApp({ transport: counting, logger: silent });
  app.use(Array.from({ length: 1_000 }, (_, index) => useCase(`case_${index}`, { on: `a.b${index}.#` }, () => {})));
  await app.start();
  expect([calls, timers]).toEqual([{ declare: 1, list: 1, subscribe: 1_000 }, 1]);
  await app.stop();
});
