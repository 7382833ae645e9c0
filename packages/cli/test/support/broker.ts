import { DeadLetter, type EventContext, PapaApp } from "@papa-events/core";
import type { Connection, DeadLetterStore, Progress, Transport } from "@papa-events/core/transport";
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
  handler: (payload: unknown, context: EventContext) => unknown,
): Promise<PapaApp> {
  const app = new PapaApp({ transport, name: "mailer", logger: silent });
  app.onEvent(pattern, { useCase, retries: 0 }, async (payload, context) => {
    await handler(payload, context);
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

/** The same broker, to whoever acts on its dead letters by way of this; `midway` is called when some have been done. */
export function interruptible(transport: Transport, midway: () => void): Transport {
  const watched = (progress: Progress = {}): Progress => ({
    ...progress,
    onProgress: (now) => {
      progress.onProgress?.(now);
      midway();
    },
  });
  const storeOf = (connection: Connection, useCase: string): DeadLetterStore => {
    const store = connection.deadLetters(useCase);
    return {
      ...store,
      redrive: (which, revive, progress) => store.redrive(which, revive, watched(progress)),
      purge: (which, progress) => store.purge(which, watched(progress)),
    };
  };
  return {
    name: transport.name,
    connect: async (options) => {
      const connection = await transport.connect(options);
      return new Proxy(connection, {
        get(target, key) {
          if (key === "deadLetters") return (useCase: string) => storeOf(target, useCase);
          const member: unknown = Reflect.get(target, key);
          return typeof member === "function" ? member.bind(target) : member;
        },
      });
    },
  };
}
