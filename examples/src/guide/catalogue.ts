import assert from "node:assert/strict";
import { defineEvents, forEvents, PapaApp, typeOnly } from "@papa-events/core";
import { memory, virtualClock } from "@papa-events/transport-memory";
import { z } from "zod";

const User = z.object({ id: z.string(), name: z.string() });

// #region define
export const events = defineEvents({
  "user.created": User,
  "user.deleted": typeOnly<{ id: string }>(), // a type for the compiler, no check at run time
  "email.sent": z.object({ to: z.string() }),
});
// #endregion

const clock = virtualClock();
const lines: string[] = [];
// #region narrow
const app = new PapaApp({ transport: memory({ clock }), events });

app.onEvent("user.*", { useCase: "user_log" }, (_, ctx) => {
  // The name narrows the payload.
  if (ctx.eventName === "user.created") lines.push(`${ctx.payload.name} is here`);
  if (ctx.eventName === "user.deleted") lines.push(`${ctx.payload.id} has left`);
});
// #endregion

// #region module
const { useCase, event } = forEvents(events);

export const sendWelcome = useCase("send_welcome", { on: "user.created" }, (user) =>
  event("email.sent", { to: user.name }),
);
// #endregion

app.use(sendWelcome).onEvent("email.sent", { useCase: "email_log" }, ({ to }) => void lines.push(`mail to ${to}`));
await app.start();
await app.newEvent("user.created", { id: "7", name: "carlos" });
await app.newEvent("user.deleted", { id: "7" });
await clock.settled();
await app.stop();
assert.deepEqual(lines.toSorted(), ["7 has left", "carlos is here", "mail to carlos"]);

// #region type-only
const simple = new PapaApp({ transport: memory() });
simple.onEvent("user.deleted", { useCase: "forget_user", schema: typeOnly<{ id: string }>() }, (user) => {
  lines.push(user.id);
});
// #endregion
