import { DeadLetter, isPapaError, PapaApp, type UseCase, useCase } from "@papa-events/core";
import fc from "fast-check";
import { expect, it } from "vitest";
import { silent, World } from "../support.ts";

const RETRIES = 2;

/** What the handler of an event does with it. */
type Fate = "works" | "fails once" | "fails" | "is rejected" | "takes turns" | "returns one";

type Step =
  | { readonly do: "publish"; readonly fates: readonly Fate[] }
  | { readonly do: "start" | "stop" | "crash" | "disconnect" | "reconnect" | "redrive" }
  | { readonly do: "let pass"; readonly seconds: number; readonly turns: number };

const fate = fc.constantFrom<Fate>("works", "fails once", "fails", "is rejected", "takes turns", "returns one");
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ do: fc.constant("publish" as const), fates: fc.array(fate, { maxLength: 8 }) }) },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constantFrom("start", "stop", "crash", "disconnect", "reconnect", "redrive") }),
  },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant("let pass" as const), seconds: fc.nat(12), turns: fc.nat(4) }),
  },
);

/** A broker, apps that come and go, and a record of what was confirmed and what was handled. */
class Story {
  readonly #world = new World();
  readonly #apps: PapaApp[] = [];
  readonly #leaving: Promise<void>[] = [];
  readonly #confirmed = new Map<string, Fate>();
  readonly #handled = new Set<string>();
  readonly #returned = new Set<string>();
  readonly #attempts: number[] = [];
  #ids = 0;

  async run(steps: readonly Step[]): Promise<void> {
    await this.#start();
    for (const each of steps) await this.#take(each);
    await this.#end();
  }

  async #take(given: Step): Promise<void> {
    const { transport, clock } = this.#world;
    switch (given.do) {
      case "publish":
        for (const each of given.fates) this.#publish(each);
        break;
      case "start":
        if (this.#apps.length < 3) await this.#start();
        break;
      case "stop":
        this.#stop(this.#apps.shift());
        break;
      case "crash":
        transport.crash();
        for (const app of this.#apps.splice(0)) this.#stop(app);
        await this.#start();
        break;
      case "disconnect":
        transport.disconnect();
        break;
      case "reconnect":
        transport.reconnect();
        break;
      case "redrive":
        await this.#apps[0]?.deadLetters("work").redrive("all").catch(ofLostConnection);
        break;
      case "let pass":
        for (let turn = 0; turn < given.turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
        if (given.seconds > 0) await clock.advance(given.seconds * 1_000);
        break;
    }
  }

  /** Everybody back, and time for all that is left. */
  async #end(): Promise<void> {
    const { transport, clock } = this.#world;
    transport.reconnect();
    for (const app of this.#apps.splice(0)) this.#stop(app);
    await clock.advance("2m");
    await Promise.all(this.#leaving);
    await this.#start();
    await clock.advance("5m");
    const [app] = this.#apps;
    if (app === undefined) throw new Error("One was started.");
    const { work } = await app.stats();
    const { items } = await app.deadLetters("work").list({ limit: 1_000 });
    const dead = new Set(items.map(({ eventId }) => eventId));
    this.#stop(app);
    await clock.advance("2m");
    const lost = [...this.#confirmed].filter(([id]) => !this.#handled.has(id) && !dead.has(id));
    expect(lost, "confirmed, and neither handled nor dead").toEqual([]);
    const unpublished = [...this.#confirmed].filter(
      ([id, each]) => each === "returns one" && this.#handled.has(id) && !this.#returned.has(id) && !dead.has(id),
    );
    expect(unpublished, "handled, and the event it returned not published").toEqual([]);
    expect(work).toEqual({ ready: 0, inFlight: 0, waiting: 0, dead: dead.size });
    expect(Math.max(0, ...this.#attempts)).toBeLessThanOrEqual(RETRIES + 1);
    for (const { reason, attempts } of items) {
      expect(["retries-exhausted 3", "rejected 1", "rejected 2", "rejected 3"]).toContain(`${reason} ${attempts}`);
    }
  }

  #publish(each: Fate): void {
    const id = `${++this.#ids}`;
    this.#apps[0]?.newEvent("a", each, { id }).then(
      () => this.#confirmed.set(id, each),
      () => {},
    );
  }

  async #start(): Promise<void> {
    const app = new PapaApp({ transport: this.#world.transport, logger: silent, concurrency: 3 }).use(this.#useCases());
    // Nobody starts while the broker is away.
    const started = await app.start().then(
      () => true,
      () => false,
    );
    if (started) this.#apps.push(app);
  }

  /** Not waited for: what it waits for may need time to pass. */
  #stop(app: PapaApp | undefined): void {
    if (app !== undefined) this.#leaving.push(app.stop());
  }

  #useCases(): UseCase[] {
    const work = useCase("work", { on: "a", retries: RETRIES, retryDelay: "5s" }, async (payload, { id, attempt }) => {
      this.#attempts.push(attempt);
      const each = payload as Fate;
      if (each === "fails" || (each === "fails once" && attempt === 1)) throw new Error("fails");
      if (each === "is rejected") throw new DeadLetter("rejected");
      if (each === "takes turns")
        for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
      this.#handled.add(id);
      return each === "returns one" ? { name: "returned", payload: id } : undefined;
    });
    return [work, useCase("returned", { on: "returned" }, (id) => void this.#returned.add(id as string))];
  }
}

function ofLostConnection(error: unknown): void {
  if (!isPapaError(error, "connection-failed")) throw error;
}

it("H1 nothing that was confirmed is lost, whatever starts, stops, crashes, is cut off or redriven meanwhile", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 30 }), (steps) => new Story().run(steps)),
    { numRuns: 150, endOnFailure: true },
  );
});
