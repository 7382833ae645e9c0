import { defineEvents, typeOnly } from "@papa-events/core";
import { z } from "zod";

interface Page {
  first: Page;
  last: Page;
  others: Page[];
  at: Date;
}

defineEvents({
  "user.created": z.object({ name: z.string() }),
  // says: not assignable to type '"'user deleted' is not a valid event name, which has words of A-Z a-z 0-9 _ - joined by dots"'
  "user deleted": z.object({ name: z.string() }),
  // says: '"'user.*' is not a valid event name, which has words of A-Z a-z 0-9 _ - joined by dots"'
  "user.*": z.object({ name: z.string() }),
  // says: not assignable to type '"payload.at is a Date, which JSON cannot carry"'
  "user.seen": z.object({ at: z.date() }),
  // says: '"payload.lines[].price is a bigint, which JSON cannot carry"'
  "order.paid": typeOnly<{ lines: { price: bigint | string }[] }>(),
  // says: '"payload.tags[] may be undefined, which JSON cannot carry"'
  "order.tagged": typeOnly<{ tags: (string | undefined)[] }>(),
  // says: '"payload may be undefined, which JSON cannot carry"'
  "order.sent": z.object({ id: z.string() }).optional(),
  // says: '"payload.onSent is a function, which JSON cannot carry"'
  "order.lost": typeOnly<{ id: string; onSent?: () => void }>(),
  // The nearest of many: a recursive type has them at every level.
  // says: to type '"payload.at is a Date, which JSON cannot carry"'
  "page.seen": typeOnly<Page>(),
});

// says: 'type' does not exist in type 'StandardSchemaV1<unknown, unknown>'
defineEvents({ "user.created": { type: "object" } });
