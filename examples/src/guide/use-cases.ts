import assert from "node:assert/strict";
import { PapaApp, useCase } from "@papa-events/core";
import { memory } from "@papa-events/transport-memory";
import { z } from "zod";

const User = z.object({ name: z.string(), address: z.string() });
const app = new PapaApp({ transport: memory() });

// #region on-event
app.onEvent("user.*", { useCase: "user_log", schema: User, retries: 3, concurrency: 50 }, async (user, ctx) => {
  ctx.logger.info(`${ctx.eventName}: ${user.name}`);
});
// #endregion

// #region value
export const sendWelcome = useCase("send_welcome", { on: "user.created", schema: User }, async (user) => [
  { name: "email.sent", payload: { to: user.address } },
]);

app.use(sendWelcome);
// #endregion

// #region handle
const events = await sendWelcome.handle({ name: "Ada", address: "hola@test.com" });
assert.deepEqual(events, [{ name: "email.sent", payload: { to: "hola@test.com" } }]);
// #endregion
