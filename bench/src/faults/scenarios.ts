import { setTimeout as pause } from "node:timers/promises";
import type { Field } from "./field.ts";

/** Does what goes wrong, while events flow; resolves to how often it did. */
export type Scenario = (field: Field) => Promise<number>;

export const scenarios: Readonly<Record<string, Scenario>> = {
  none: async () => 0,
  "consumer killed": (field) => repeat(field, 20, 600, () => field.killConsumer()),
  "publisher killed": (field) => repeat(field, 10, 700, () => field.killPublisher()),
  "broker restarted": (field) =>
    repeat(field, 5, 2_000, async () => {
      await field.broker.kill();
      await field.broker.restart();
    }),
  "connections cut": (field) => repeat(field, 50, 250, async () => field.proxy.cut()),
  "half open": (field) =>
    repeat(field, 2, 2_000, async () => {
      field.proxy.halfOpen();
      await pause(4_000);
      field.proxy.cut();
    }),
  "broker paused": (field) =>
    repeat(field, 1, 3_000, async () => {
      await field.broker.pause();
      await pause(10_000);
      await field.broker.resume();
    }),
  "broker away": (field) =>
    repeat(field, 1, 3_000, async () => {
      await field.broker.kill();
      await pause(10_000);
      await field.broker.restart();
    }),
};

async function repeat(field: Field, most: number, every: number, fault: () => Promise<void>): Promise<number> {
  let times = 0;
  for (; times < most && field.busy; times += 1) {
    await pause(every);
    await fault();
  }
  return times;
}
