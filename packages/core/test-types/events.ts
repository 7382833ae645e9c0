import { defineEvents, PapaApp, type Transport, typeOnly } from "@papa-events/core";
import { z } from "zod";

/** One schema whose output is not its input, one without a run-time check, names of two and three words. */
export const events = defineEvents({
  "user.created": z.object({ name: z.string(), age: z.string().transform(Number), plan: z.enum(["free", "paid"]) }),
  "user.deleted": typeOnly<{ id: string }>(),
  "user.address.changed": z.object({ city: z.string().optional() }),
  "email.sent": z.object({ to: z.string() }),
});
export type Events = typeof events;

export interface CreatedInput {
  name: string;
  age: string;
  plan: "free" | "paid";
}
export interface CreatedOutput {
  name: string;
  age: number;
  plan: "free" | "paid";
}

export declare const transport: Transport;
/** An app without a catalogue. */
export const plain = new PapaApp({ transport });
/** An app with one. */
export const app = new PapaApp({ transport, events });
