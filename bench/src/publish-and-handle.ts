import { PapaApp, type PapaAppOptions, type UseCaseOptions, useCase } from "@papa-events/core";
import { transportFromUri } from "@papa-events/core/uri";
import type { Work } from "./benchmark.ts";
import { makePayload } from "./payload.ts";

/** How many publishers wait for their confirmation at once. */
const PUBLISHERS = 200;

/** How events get into the app. */
export type Publish = (app: PapaApp, count: number) => Promise<void>;

/** Each publisher awaits each event, as request handlers of a service do. */
export const oneByOne: Publish = async (app, count) => {
  let next = 0;
  const publisher = async () => {
    while (next < count) {
      next += 1;
      await app.newEvent("user.created", makePayload(next));
    }
  };
  await Promise.all(Array.from({ length: PUBLISHERS }, publisher));
};

/** A hundred events a call. */
export const inBatches: Publish = async (app, count) => {
  for (let done = 0; done < count; done += 100) {
    const length = Math.min(100, count - done);
    await app.newEvents(
      Array.from({ length }, (_, index) => ({ name: "user.created", payload: makePayload(done + index) })),
    );
  }
};

export interface Shape {
  readonly publish: Publish;
  readonly app?: Omit<PapaAppOptions, "transport">;
  readonly useCase?: Omit<UseCaseOptions, "on">;
  /** The broker; one in memory unless set. */
  readonly uri?: string;
  /** How many use cases want each event; 1 unless set. */
  readonly fanOut?: number;
}

/** An app: an event is done when all its handlers have returned. */
export async function publishAndHandle(shape: Shape): Promise<Work> {
  const { publish, app: options, useCase: handling, uri = "memory:", fanOut = 1 } = shape;
  const app = new PapaApp({ transport: transportFromUri(uri), ...options });
  let left = 0;
  let allHandled: () => void = () => {};
  for (let index = 0; index < fanOut; index += 1) {
    app.use(
      useCase(`use_case_${index}`, { on: "user.*", ...handling }, async () => {
        left -= 1;
        if (left === 0) allHandled();
      }),
    );
  }
  await app.start();
  return {
    run: async (count) => {
      left = count * fanOut;
      const handled = new Promise<void>((resolve) => {
        allHandled = resolve;
      });
      await publish(app, count);
      await handled;
    },
    close: () => app.stop(),
  };
}
