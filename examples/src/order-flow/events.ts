import { defineEvents, forEvents } from "@papa-events/core";
import { z } from "zod";

const order = z.string();

/** What happens to orders in a shop, as events. */
export const events = defineEvents({
  "order.placed": z.object({ order, items: z.array(z.string()).min(1), card: z.string() }),
  "stock.reserved": z.object({ order, card: z.string(), total: z.number() }),
  "stock.missing": z.object({ order, item: z.string() }),
  "payment.taken": z.object({ order, total: z.number() }),
  "payment.refused": z.object({ order, reason: z.string() }),
  "order.shipped": z.object({ order }),
  "order.cancelled": z.object({ order, reason: z.string() }),
});

export const { useCase, event } = forEvents(events);
