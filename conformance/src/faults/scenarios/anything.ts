import { pause } from "../../rig/until.ts";
import { seededRandom } from "../../rules/seeded-random.ts";
import { RATE, type Stage } from "../stage/stage.ts";
import type { Crew, Place } from "../workers/crew.ts";
import type { Publisher } from "../workers/publisher.ts";
import { type Scenario, whole } from "./scenario.ts";

const PUBLISHERS = 2;
/** Which share of all events publishers may be ahead of handlers: kills are to find both at work. */
const AHEAD = 1 / 20;
const LOOK_MS = 200;
/** How often it tells how far it is. */
const PROGRESS = 10;
/** How long a node of a cluster is dead at most, in milliseconds: others may take its place meanwhile, or not. */
const DOWN_MS = 8_000;
/** Of ten kills so many are of each kind. */
const KINDS = [
  { kind: "handling processes", weight: 4 },
  { kind: "collecting processes", weight: 2 },
  { kind: "publishing processes", weight: 2 },
  { kind: "brokers", weight: 2 },
] as const;
type Kind = (typeof KINDS)[number]["kind"];

/** Kills anything at random, again and again: the long form. */
export function anythingKilled(kills: number, seed: number): Scenario {
  return {
    name: "anything-killed",
    what: `one of three handling, two collecting or two publishing processes, or the broker or one node of it, is killed (SIGKILL) at random and started again; seed ${seed}`,
    times: kills,
    fleet: 3,
    collectors: 2,
    play: async (stage, times) => {
      const killer = new Killer(stage, seededRandom(seed));
      const pacing = setInterval(() => pace(stage), LOOK_MS);
      try {
        await killer.begin();
        for (let time = 1; time <= times; time += 1) {
          await stage.handled(time / (times + 1));
          await killer.kill();
          if (time % Math.ceil(times / PROGRESS) === 0) stage.progress(`${time} kills`);
        }
        await killer.end();
        await stage.finish();
      } finally {
        clearInterval(pacing);
        stage.notes.push(`killed were ${killer.counts}`);
      }
      const { unhandled, withoutOutput } = stage.ledger;
      if (stage.target.losesWithNode !== undefined)
        stage.notes.push(`lost with nodes, as documented: ${unhandled} events, ${withoutOutput} outputs`);
    },
  };
}

function pace({ events, ledger, publishers }: Stage): void {
  for (const { worker } of publishers) {
    if (ledger.confirmed - ledger.handled > AHEAD * events) worker?.hold();
    else worker?.go();
  }
}

class Killer {
  readonly #stage: Stage;
  readonly #random: () => number;
  readonly #killed = new Map<Kind, number>();
  /** What comes back meanwhile. */
  readonly #returning = new Set<Promise<void>>();
  #isWhole = true;
  /** How many publishers have not published all. */
  #publishing = PUBLISHERS;

  constructor(stage: Stage, random: () => number) {
    this.#stage = stage;
    this.#random = random;
  }

  get counts(): string {
    return [...this.#killed].map(([kind, count]) => `${count} ${kind}`).join(", ");
  }

  async begin(): Promise<void> {
    const { broker, target, notes } = this.#stage;
    await target.operator.strict?.(broker);
    if (target.operator.strictly !== undefined) notes.push(`with ${target.operator.strictly}`);
    const publishers = Array.from({ length: PUBLISHERS }, () => this.#stage.addPublisher());
    for (const publisher of publishers) await this.#publish(publisher);
  }

  async kill(): Promise<void> {
    const kind = this.#kind();
    this.#killed.set(kind, (this.#killed.get(kind) ?? 0) + 1);
    const { handlers, collectors, publishers, broker, target } = this.#stage;
    if (kind === "publishing processes") return this.#later(this.#killPublisher(publishers));
    if (kind === "handling processes") return this.#later(this.#killOf(handlers));
    if (kind === "collecting processes") return this.#later(this.#killOf(collectors));
    if (broker.nodes.length > 0) return this.#killNode();
    await broker.kill();
    await broker.restart();
    await target.operator.strict?.(broker);
  }

  /** Resolves when all that was killed is back. */
  async end(): Promise<void> {
    while (this.#returning.size > 0) await Promise.all(this.#returning);
  }

  #kind(): Kind {
    let at = this.#random() * 10;
    const kind = KINDS.find(({ weight }) => {
      at -= weight;
      return at < 0;
    });
    // Who has published all is not started again.
    const published = this.#publishing === 0 && kind?.kind === "publishing processes";
    return kind === undefined || published ? "handling processes" : kind.kind;
  }

  /** One of them, by chance, once there is one. */
  async #any<T>(all: () => readonly T[]): Promise<T> {
    for (;;) {
      const running = all();
      // Waiting takes nothing of what chance decides by.
      const one = running.length === 0 ? undefined : running[Math.floor(this.#random() * running.length)];
      if (one !== undefined) return one;
      await pause(20);
    }
  }

  async #killOf(crew: Crew): Promise<() => Promise<void>> {
    const place = await this.#any<Place>(() => crew.places.filter(({ worker }) => worker !== undefined));
    await crew.kill(place);
    return () => crew.fill(place);
  }

  async #killPublisher(publishers: readonly Publisher[]): Promise<() => Promise<void>> {
    const running = () => publishers.filter(({ worker }) => worker !== undefined);
    // The one that is coming back may have nothing left to publish.
    while (running().length === 0 && this.#publishing > 0) await pause(20);
    if (running().length === 0) return this.#killOf(this.#stage.handlers);
    const publisher = await this.#any(running);
    await publisher.kill();
    return () => this.#publish(publisher);
  }

  /** Never two at once: of three, one that is not whole yet and one that is dead may be a majority. */
  async #killNode(): Promise<void> {
    while (!this.#isWhole) await pause(20);
    this.#isWhole = false;
    const { broker, ledger, target } = this.#stage;
    const node = await this.#any(() => broker.nodes);
    const down = this.#random() * DOWN_MS;
    await node.kill();
    await this.#later(
      Promise.resolve(async () => {
        await pause(down);
        await node.restart();
        await whole(this.#stage);
        if (target.losesWithNode !== undefined) ledger.excuse(down + target.losesWithNode);
        this.#isWhole = true;
      }),
    );
  }

  async #publish(publisher: Publisher): Promise<void> {
    const count = Math.ceil(this.#stage.events / PUBLISHERS) - publisher.confirmed;
    if (count > 0) (await publisher.start({ count, rate: RATE / PUBLISHERS })).go();
    else this.#publishing -= 1;
  }

  /** Waits for the kill, and not for what comes after it. */
  async #later(kill: Promise<() => Promise<void>>): Promise<void> {
    const back = await kill;
    const returning: Promise<void> = back()
      .catch((error: unknown) => void this.#stage.problems.push(String(error)))
      .finally(() => this.#returning.delete(returning));
    this.#returning.add(returning);
  }
}
