import { PapaApp } from "@papa-events/core";
import { EventContext, onEvent } from "@papa-events/core/decorators";
import { memory } from "@papa-events/transport-memory";
import { injectable, singleton } from "tsyringe";
import { z } from "zod";

const User = z.object({ address: z.string() });

@singleton()
export class Mailer {
  readonly sent: string[] = [];

  async send(to: string, subject: string): Promise<void> {
    this.sent.push(`${subject}, ${to}`);
  }
}

// #region class
@injectable()
class SendWelcome {
  constructor(
    private readonly mailer: Mailer,
    private readonly context: EventContext,
  ) {}

  @onEvent("user.created", { useCase: "send_welcome", schema: User })
  async handle(user: z.output<typeof User>): Promise<void> {
    await this.mailer.send(user.address, `Welcome (${this.context.eventName})`);
  }
}
// #endregion

export const app = new PapaApp({ transport: memory() });
// #region register
app.register(SendWelcome);
// #endregion
