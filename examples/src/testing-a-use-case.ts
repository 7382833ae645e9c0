/** A use case is a value: a test calls it like a function, without an app and without a broker. */
import assert from "node:assert/strict";
import { isPapaError, useCase } from "@papa-events/core";
import { z } from "zod";

const User = z.object({ name: z.string(), language: z.enum(["en", "es"]).default("en") });
const GREETINGS = { en: "Welcome", es: "Bienvenido" };

export const sendWelcome = useCase(
  "send_welcome",
  { on: ["user.created", "user.restored"], schema: User },
  (user, { eventName, attempt }) => {
    if (attempt > 3) return { name: "email.skipped", payload: { to: user.name } };
    const again = eventName === "user.restored" ? " back" : "";
    return { name: "email.sent", payload: { to: user.name, text: `${GREETINGS[user.language]}${again}` } };
  },
);

// The payload goes through the schema, and what the handler returns comes back as a list.
assert.deepEqual(await sendWelcome.handle({ name: "Ada" }), [
  { name: "email.sent", payload: { to: "Ada", text: "Welcome" } },
]);

// The context is made of what the test gives; the rest has defaults.
const [restored] = await sendWelcome.handle({ name: "Ada" }, { eventName: "user.restored" });
assert.deepEqual(restored?.payload, { to: "Ada", text: "Welcome back" });
const [skipped] = await sendWelcome.handle({ name: "Ada", language: "es" }, { attempt: 4 });
assert.equal(skipped?.name, "email.skipped");

// What the schema refuses never gets to the handler.
const refused = await sendWelcome.handle({ name: 7 } as never).catch((error: unknown) => error);
assert.ok(isPapaError(refused, "invalid-payload"));
console.log(refused.message);
console.log("send_welcome behaves");
