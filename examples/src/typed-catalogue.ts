/** A catalogue of events: names, payloads, wildcards and returned events are checked by the compiler. */
import { defineEvents, forEvents, PapaApp } from "@papa-events/core";
import { memory } from "@papa-events/transport-memory";
import { z } from "zod";

const events = defineEvents({
  "order.placed": z.object({ order: z.string(), items: z.array(z.string()).min(1) }),
  "order.cancelled": z.object({ order: z.string(), reason: z.string() }),
  "parcel.packed": z.object({ order: z.string(), weight: z.number() }),
});

const { useCase, event } = forEvents(events);

const packParcel = useCase("pack_parcel", { on: "order.placed" }, ({ order, items }) =>
  event("parcel.packed", { order, weight: items.length * 0.5 }),
);

/** The pattern makes `ctx` a union of what it matches; `ctx.eventName` narrows it. */
const { promise: packed, resolve: isPacked } = Promise.withResolvers<void>();
const notifyCustomer = useCase("notify_customer", { on: "#" }, (_payload, ctx) => {
  switch (ctx.eventName) {
    case "order.placed":
      console.log(`${ctx.payload.order}: we have it, all ${ctx.payload.items.length} items`);
      break;
    case "order.cancelled":
      console.log(`${ctx.payload.order}: cancelled, ${ctx.payload.reason}`);
      break;
    case "parcel.packed":
      console.log(`${ctx.payload.order}: packed, ${ctx.payload.weight} kg`);
      isPacked();
      break;
  }
});

const app = new PapaApp({ transport: memory(), events });
app.use(packParcel, notifyCustomer);
await app.start();

await app.newEvent("order.cancelled", { order: "A-1", reason: "sold out" });
await app.newEvent("order.placed", { order: "A-2", items: ["tea", "cup"] });
// What the compiler cannot know is checked when it is published.
await app.newEvent("order.placed", { order: "A-3", items: [] }).catch((error: Error) => console.log(error.message));

await packed;
await app.stop();

/** Never called: none of this compiles. */
export function mistakes(): void {
  // @ts-expect-error the catalogue has no such name
  app.newEvent("order.payed", { order: "A-4" });
  // @ts-expect-error items are a list
  app.newEvent("order.placed", { order: "A-4", items: "tea" });
  // @ts-expect-error no event of the catalogue matches the pattern
  useCase("send_invoice", { on: "invoice.*" }, () => {});
  // @ts-expect-error a parcel has a weight
  useCase("pack_letter", { on: "order.placed" }, ({ order }) => event("parcel.packed", { order }));
}
