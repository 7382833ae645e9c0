/** The handlers of a shop. They know no broker: `main.ts` runs them on whichever its URL names. */
import { DeadLetter, RetryAfter } from "@papa-events/core";
import { event, useCase } from "./events.ts";

const PRICES: Readonly<Record<string, number>> = { tea: 4, cup: 9, pot: 30 };

/** Everything a use case returns is published together, once it has succeeded. */
const reserveStock = useCase("reserve_stock", { on: "order.placed" }, ({ order, items, card }) => {
  const missing = items.find((item) => PRICES[item] === undefined);
  if (missing !== undefined) return event("stock.missing", { order, item: missing });
  const total = items.reduce((sum, item) => sum + (PRICES[item] ?? 0), 0);
  return event("stock.reserved", { order, card, total });
});

/** A bank that is busy at first, refuses some cards, and cannot read others at all. */
const takePayment = useCase("take_payment", { on: "stock.reserved", retries: 3, retryDelay: 200 }, (payload, ctx) => {
  const { order, card, total } = payload;
  if (card === "busy" && ctx.attempt < 3) throw new RetryAfter(100, { message: "the bank is busy" });
  if (card === "unreadable") throw new DeadLetter(`order ${order} has an unreadable card`);
  if (card === "broken") throw new Error("the bank does not answer");
  if (card === "empty") return event("payment.refused", { order, reason: "no money" });
  return event("payment.taken", { order, total });
});

/** Fails at the first attempt of every order, as remote services do. */
const shipOrder = useCase("ship_order", { on: "payment.taken", retries: 2, retryDelay: 100 }, ({ order }, ctx) => {
  if (ctx.attempt === 1) throw new Error("the parcel service is restarting");
  return event("order.shipped", { order });
});

/** One use case for events of two kinds: the type of the payload is the union of both. */
const cancelOrder = useCase("cancel_order", { on: ["stock.missing", "payment.refused"] }, (payload) => {
  const reason = "item" in payload ? `no ${payload.item} left` : payload.reason;
  return event("order.cancelled", { order: payload.order, reason });
});

/** Wildcards: one word, and any number of words. Neither is disturbed by the retries of the others. */
const notifyCustomer = useCase("notify_customer", { on: "order.*" }, () => {});
const audit = useCase("audit", { on: "#" }, () => {});

export const handlers = [reserveStock, takePayment, shipOrder, cancelOrder, notifyCustomer, audit];
