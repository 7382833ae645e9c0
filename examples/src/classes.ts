/** Classes with dependencies from a tsyringe container, without decorator syntax, which Node.js does not strip. */
import { PapaApp } from "@papa-events/core";
import { EventContext, handledBy } from "@papa-events/core/decorators";
import { memory } from "@papa-events/transport-memory";
import { container, inject, injectable } from "tsyringe";
import { z } from "zod";

const User = z.object({ name: z.string() });

/** One for the whole service. */
class Mailer {
  sent = 0;

  async send(to: string, subject: string): Promise<void> {
    this.sent += 1;
    console.log(`Mail ${this.sent} to ${to}: ${subject}`);
  }
}

/** One for each delivery, with the context of its event; disposed of when the delivery is settled. */
class SendWelcome {
  readonly #mailer: Mailer;
  readonly #context: EventContext;

  constructor(mailer: Mailer, context: EventContext) {
    this.#mailer = mailer;
    this.#context = context;
  }

  async handle(user: z.output<typeof User>): Promise<void> {
    await this.#mailer.send(user.name, `welcome (${this.#context.eventName})`);
  }

  dispose(): void {
    console.log("Disposed of what this delivery needed");
    if (container.resolve(Mailer).sent === 2) allSent();
  }
}

// What the decorators @singleton(), @injectable() and @inject(...) do, as calls.
container.registerSingleton(Mailer);
inject(Mailer)(SendWelcome, undefined, 0);
inject(EventContext)(SendWelcome, undefined, 1);
injectable()(SendWelcome);

const { promise: done, resolve: allSent } = Promise.withResolvers<void>();
const app = new PapaApp({ transport: memory(), container });
app.onEvent("user.created", { useCase: "send_welcome", schema: User }, handledBy(SendWelcome, "handle"));
await app.start();
await app.newEvents([
  { name: "user.created", payload: { name: "Ada" } },
  { name: "user.created", payload: { name: "Grace" } },
]);
await done;
await app.stop();
