// The example of the public interface, word for word; only what it calls of the user's own is declared here.
import { DeadLetter, defineEvents, PapaApp, RetryAfter } from "@papa-events/core";
import { amqp } from "@papa-events/transport-amqp";
import { z } from "zod";

const NewClient = z.object({ name: z.string(), age: z.number().int() });

declare function sendWelcomeEmail(name: string): Promise<void>;
declare function log(event: z.output<typeof NewClient>): Promise<void>;

const app = new PapaApp({ transport: amqp("amqp://guest:guest@localhost") });

// one event, several events, wildcards
app.onEvent(
  ["user.created"],
  { useCase: "send_welcome_email_on_user_created", schema: NewClient },
  // biome-ignore lint/correctness/noUnusedFunctionParameters: as it is written there
  async (event, ctx) => {
    await sendWelcomeEmail(event.name);
    return [{ name: "email.sent", payload: { destination: "hola@test.com", body: "bienvenido" } }];
  },
);
app.onEvent("user.*", { useCase: "user_log", schema: NewClient, retries: 3, retryDelay: "10s", concurrency: 50 }, log);

await app.start();
await app.newEvent("user.created", { name: "carlos", age: 21 }); // -> { id }
await app.stop();

await app.run(); // standalone: start, then stop on SIGINT / SIGTERM

export { DeadLetter, defineEvents, RetryAfter };
