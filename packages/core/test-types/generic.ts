// Functions that do not know the catalogue: what they can do with an app, and what they cannot.
import { type Catalogue, forEvents, type NoCatalogue, PapaApp, type UseCase, useCase } from "@papa-events/core";
import { z } from "zod";
import { app, events, plain, transport } from "./events.ts";

const audit = useCase("audit", { on: "#", schema: z.unknown() }, () => {});

/** Takes any app. */
export async function serve<C extends Catalogue | NoCatalogue>(
  given: PapaApp<C>,
  useCases: readonly UseCase[],
): Promise<void> {
  given.use(useCases, audit);
  given.onEvent(["#", "order.*"], { useCase: "own", schema: z.unknown() }, (payload) => void payload);
  await given.start();
  const { healthy } = given.health();
  if (!healthy) await given.stop();
}
serve(app, [audit]);
serve(plain, [useCase("b", { on: "b", schema: z.number() }, (n) => void n.toFixed())]);
serve(new PapaApp({ transport, events: events as Catalogue }), []);

/** Takes what apps have in common. */
export const starts = (given: Pick<PapaApp, "start" | "stop" | "health">) => given.start();
starts(app);
starts(plain);

/** Makes an app for any catalogue. */
export function appFor<C extends Catalogue>(catalogue: C): PapaApp<C> {
  forEvents(catalogue);
  return new PapaApp({ transport, events: catalogue });
}
appFor(events).newEvent("user.deleted", { id: "1" });
// @ts-expect-error the payload of another event
appFor(events).newEvent("user.deleted", { to: "a" });

/** A catalogue whose names are not known when the program is compiled. */
const untyped = new PapaApp({ transport, events: events as Catalogue });
untyped.newEvent("any.name", { any: "payload" });
untyped.onEvent("any.*", { useCase: "1" }, () => [{ name: "any.name", payload: 1 }]);

/** A class of the user's own. */
export class Service extends PapaApp<typeof events> {
  constructor() {
    super({ transport, events });
  }
  rename(id: string): Promise<unknown> {
    return this.newEvent("user.deleted", { id });
  }
}
new Service().onEvent("user.deleted", { useCase: "1" }, ({ id }) => void id).rename("a");
