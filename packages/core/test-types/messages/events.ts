import { defineEvents, forEvents, PapaApp, type Transport, typeOnly } from "@papa-events/core";
import { z } from "zod";

const events = defineEvents({
  "user.created": z.object({ name: z.string() }),
  "user.deleted": typeOnly<{ id: string }>(),
  "email.sent": z.object({ to: z.string() }),
});

declare const transport: Transport;
export const app = new PapaApp({ transport, events });
export const { useCase, event } = forEvents(events);
