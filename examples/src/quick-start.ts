import { PapaApp } from "@papa-events/core";
import { transportFromUri } from "@papa-events/core/uri";
import { z } from "zod";

const NewClient = z.object({ name: z.string(), age: z.number().int() });

// This example ends when all three have run. A service calls `await app.run()` and ends when it is told to.
const stillToRun = new Set(["send_welcome_email", "user_log", "email_log"]);
const { promise: allHaveRun, resolve: end } = Promise.withResolvers();

const app = new PapaApp({
  // Another broker is another URL, and nothing else changes.
  transport: transportFromUri(process.env.BROKER_URL ?? "memory:"),
  // A broker that has just been started needs some seconds.
  waitForBroker: "60s",
  // Around every handler.
  wrap: async (ctx, next) => {
    await next();
    if (stillToRun.delete(ctx.useCase) && stillToRun.size === 0) end(ctx.id);
  },
});

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
app.onEvent(["email.sent", "email.refused"], { useCase: "email_log" }, (email, ctx) => {
  console.log(`${ctx.eventName}: ${JSON.stringify(email)}`);
});

await app.start();
await app.newEvent("user.created", { name: "carlos", age: 21 });
await allHaveRun;
await app.stop();
