/**
 * A shop on the broker that the URL names, and what happened in it, one line for each call of a handler. The lines are the
 * same on every broker: `node examples/src/order-flow/main.ts amqp://localhost`
 */
import { randomBytes } from "node:crypto";
import { setTimeout as pause } from "node:timers/promises";
import { PapaApp } from "@papa-events/core";
import { transportFromUri } from "@papa-events/core/uri";
import { events } from "./events.ts";
import { handlers } from "./handlers.ts";

/** Orders, and how each ends. */
const orders = [
  { order: "A", items: ["tea", "cup"], card: "good", end: "order.shipped" },
  { order: "B", items: ["tea", "samovar"], card: "good", end: "order.cancelled" },
  { order: "C", items: ["pot"], card: "empty", end: "order.cancelled" },
  { order: "D", items: ["pot", "tea"], card: "busy", end: "order.shipped" },
  { order: "E", items: ["cup"], card: "unreadable", end: "dead letter" },
  { order: "F", items: ["cup"], card: "broken", end: "dead letter" },
];

const url = withNamespace(process.argv[2] ?? "memory:");
const lines: string[] = [];
/** Those who still have to hear of the end of an order. */
const awaited = new Set(
  orders.flatMap(({ order, end }) =>
    end === "dead letter" ? [`take_payment ${order}`] : [`notify_customer ${order} ${end}`, `audit ${order} ${end}`],
  ),
);

const app = new PapaApp({
  transport: transportFromUri(url),
  events,
  logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
  wrap: async (ctx, next) => {
    const { order } = ctx.payload as { order: string };
    const call = `${order} ${ctx.useCase} ${ctx.eventName} attempt ${ctx.attempt}`;
    try {
      const result = await next();
      lines.push(`${call}: done`);
      awaited.delete(`${ctx.useCase} ${order} ${ctx.eventName}`);
      return result;
    } catch (error) {
      lines.push(`${call}: ${(error as Error).message}`);
      throw error;
    }
  },
  onDeadLetter: ({ useCase, payload }) => {
    awaited.delete(`${useCase} ${(payload as { order: string }).order}`);
  },
});
app.use(handlers);
await app.start();
await app.newEvents(orders.map(({ end: _, ...payload }) => ({ name: "order.placed", payload })));

while (awaited.size > 0 || (await isBusy())) await pause(20);
for (const { name } of handlers) {
  for (const letter of (await app.deadLetters(name).list()).items) {
    const { order } = letter.payload as { order: string };
    lines.push(`${order} ${name} ${letter.eventName} dead after ${letter.attempts}: ${letter.reason}`);
  }
}
await app.stop();
// Use cases run side by side, so the order of calls is nobody's promise.
for (const line of lines.toSorted()) console.log(line);

function withNamespace(broker: string): string {
  if (broker.startsWith("memory:")) return broker;
  return `${broker}${broker.includes("?") ? "&" : "?"}prefix=shop-${randomBytes(4).toString("hex")}`;
}

async function isBusy(): Promise<boolean> {
  const stats = Object.values(await app.stats());
  return stats.some(({ ready, inFlight, waiting }) => ready + inFlight + waiting > 0);
}
