import { DeadLetter, PapaApp } from "@papa-events/core";
import { type MemoryTransport, memory } from "@papa-events/transport-memory";
import { onTestFinished, vi } from "vitest";

/** A handler's way to fail. */
type Fail = (payload: unknown) => Error;

const silent = { debug() {}, info() {}, warn() {}, error() {} };

/** Runs an app until the test is over. */
export async function running(
  transport: MemoryTransport,
  useCase: string,
  pattern: string,
  handler: (payload: unknown) => unknown,
): Promise<PapaApp> {
  const app = new PapaApp({ transport, name: "mailer", logger: silent });
  app.onEvent(pattern, { useCase, retries: 0 }, async (payload) => {
    await handler(payload);
  });
  await app.start();
  onTestFinished(() => app.stop());
  return app;
}

/** A broker where a use case has failed; nobody runs it any more. */
export async function withDeadLetters(
  payloads: readonly unknown[],
  {
    transport = memory(),
    useCase = "send_welcome",
    event = "user.created",
    fail = () => new Error("no route to host") as Error,
  }: { transport?: MemoryTransport; useCase?: string; event?: string; fail?: Fail } = {},
): Promise<MemoryTransport> {
  const app = new PapaApp({ transport, name: "mailer", logger: silent });
  app.onEvent("user.#", { useCase, retries: 0 }, async (payload) => {
    throw fail(payload);
  });
  await app.start();
  for (const payload of payloads) await app.newEvent(event, payload);
  await vi.waitFor(async () => {
    const dead = (await app.stats())[useCase]?.dead ?? 0;
    if (dead < payloads.length) throw new Error(`${dead} dead letters so far`);
  });
  await app.stop();
  return transport;
}

/** An error that is given up on at once, for a reason of its own. */
export function rejected(message: string): Error {
  return new DeadLetter(message);
}
