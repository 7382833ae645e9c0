import { PapaApp, type PapaAppOptions } from "@papa-events/core";
import { type MemoryTransport, memory, type VirtualClock, virtualClock } from "@papa-events/transport-memory";
import { type DependencyContainer, container as globalContainer } from "tsyringe";
import { onTestFinished } from "vitest";

export interface Started {
  readonly app: PapaApp;
  readonly clock: VirtualClock;
  readonly container: DependencyContainer;
}

type Options = Partial<Omit<PapaAppOptions, "events">>;

/** An app on a broker of its own, with a container of its own, started once `declare` has added use cases. */
export async function started(
  declare: (app: PapaApp, container: DependencyContainer) => unknown,
  options: Options = {},
): Promise<Started> {
  const clock = virtualClock();
  const container = globalContainer.createChildContainer();
  const app = new PapaApp({ transport: memory({ clock }), container, logger: silent, ...options });
  declare(app, container);
  await app.start();
  onTestFinished(() => app.stop());
  return { app, clock, container };
}

/** A broker that notes when it has been told what became of a delivery, and has stored it. */
export function notingSettlements(inner: MemoryTransport, log: string[]): MemoryTransport {
  const connect = inner.connect.bind(inner);
  inner.connect = async (options) => {
    const connection = await connect(options);
    const subscribe = connection.subscribe.bind(connection);
    connection.subscribe = (useCase, readAhead, onDelivery) =>
      subscribe(useCase, readAhead, (delivery) => {
        const settle = delivery.settle.bind(delivery);
        onDelivery(
          Object.assign(delivery, {
            settle: async (settlement: Parameters<typeof settle>[0]) => {
              await settle(settlement);
              log.push(`settled: ${settlement.kind}`);
            },
          }),
        );
      });
    return connection;
  };
  return inner;
}

const ignore = () => {};
export const silent = { debug: ignore, info: ignore, warn: ignore, error: ignore };

/** What a call throws. */
export function thrownBy(call: () => unknown): unknown {
  try {
    call();
  } catch (error) {
    return error;
  }
  throw new Error("Nothing was thrown.");
}
