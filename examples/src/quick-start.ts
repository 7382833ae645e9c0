import { PapaApp } from "@papa-events/core";
import { transportFromUri } from "@papa-events/core/uri";
import { z } from "zod";

const NewClient = z.object({ name: z.string(), age: z.number().int() });

// Another broker is another URL, and nothing else changes.
const app = new PapaApp({ transport: transportFromUri(process.env.BROKER_URL ?? "memory:") });

// One event. What the handler returns is published when it has succeeded.
app.onEvent("user.created", { useCase: "send_welcome_email", schema: NewClient }, async (client) => {
  console.log(`Welcome, ${client.name}!`);
  return [{ name: "email.sent", payload: { destination: "hola@test.com", body: "bienvenido" } }];
});

// A wildcard. What fails is tried three more times, then kept as a dead letter.
app.onEvent(
  "user.*",
  { useCase: "user_log", schema: NewClient, retries: 3, retryDelay: "10s", concurrency: 50 },
  (client, ctx) => console.log(`${ctx.eventName}: ${client.name} is ${client.age}`),
);

// Several events.
const { promise: told, resolve: tell } = Promise.withResolvers<string>();
app.onEvent(["email.sent", "email.refused"], { useCase: "email_log" }, (_email, ctx) => tell(ctx.eventName));

await app.start();
await app.newEvent("user.created", { name: "carlos", age: 21 });
console.log(`${await told}, that was all`);
await app.stop();
