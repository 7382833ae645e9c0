import type { Random } from "../random.ts";
import { makeName } from "./make-patterns.ts";
import type { Behaviour, EventPlan, Failure, InvalidOutput } from "./plan.ts";

/** So often that it does not end by itself. */
const ALWAYS = 1_000_000;

/** How deep outputs of outputs go. */
const MAX_DEPTH = 2;

/** What makes the events of a plan. */
export class EventFactory {
  readonly #random: Random;
  readonly #useCases: readonly string[];
  /** How likely an event is to be trouble. */
  readonly #trouble: number;
  /** Whether events may kill their processes. */
  readonly #mayDie: boolean;
  #made = 0;

  constructor(random: Random, useCases: readonly string[]) {
    this.#random = random;
    this.#useCases = useCases;
    this.#trouble = random.pick([0.1, 0.3, 0.6]);
    this.#mayDie = random.chance(0.4);
  }

  /** An event that a program without the library publishes. */
  makeForeign(): EventPlan {
    const event = this.make();
    const refused = event.refused === "publishing" ? "nothing" : event.refused;
    return { ...event, refused, ownId: true, foreign: this.#random.chance(0.3) ? "no json" : "json" };
  }

  make(depth = 0): EventPlan {
    const random = this.#random;
    this.#made += 1;
    const refused = random.chance(0.05) ? random.pick(["publishing", "headers"] as const) : "nothing";
    return {
      label: `e${this.#made}`,
      name: makeName(random),
      bytes: random.pick([0, 0, 0, 0, 200, 1_500]),
      ownId: depth === 0 && random.chance(0.5),
      headers: makeHeaders(random, refused),
      duplicated: random.chance(0.03),
      foreign: "no",
      refused,
      behaviours: Object.fromEntries(this.#useCases.flatMap((useCase) => this.#behaviour(useCase, depth))),
    };
  }

  #behaviour(useCase: string, depth: number): [string, Behaviour][] {
    const random = this.#random;
    if (random.chance(this.#trouble)) return [[useCase, this.#troubled()]];
    const takes = this.#takes();
    if (depth < MAX_DEPTH && random.chance(0.15)) {
      const outputs = Array.from({ length: random.pick([1, 1, 2, 3]) }, () => this.make(depth + 1));
      return [[useCase, { does: "return", takes, outputs }]];
    }
    if (depth < MAX_DEPTH && random.chance(0.05))
      return [[useCase, { does: "publish", takes, event: this.make(depth + 1), waits: random.chance(0.7) }]];
    return takes === 0 ? [] : [[useCase, { does: "return", takes, outputs: [] }]];
  }

  #troubled(): Behaviour {
    const random = this.#random;
    const takes = this.#takes();
    const times = random.pick([1, 1, 2, 3, ALWAYS]);
    const chance = random.next();
    if (this.#mayDie && chance < 0.3) return { does: "die", takes, times };
    if (chance < 0.65) return { does: "fail", takes, times, how: random.pick(FAILURES) };
    if (chance < 0.72) return { does: "postpone", takes, times, delay: random.pick([0, 20, 3_000]) };
    if (chance < 0.79) return { does: "reject", takes, times };
    if (chance < 0.84) return { does: "return-invalid", takes, what: random.pick(INVALID) };
    if (chance < 0.97)
      return {
        does: "hang",
        takes: random.pick([5_000, 15_000, 40_000]),
        times: Math.min(times, 3),
        onAbort: random.pick(["return", "throw", "go on"] as const),
      };
    return { does: "stop", takes, times: 1 };
  }

  #takes(): number {
    return this.#random.pick([0, 0, 0, 1, 10, 100, 1_000]);
  }
}

const FAILURES: readonly [Failure, ...Failure[]] = ["error", "error", "error", "undefined", "hostile", "long message"];
const INVALID: readonly [InvalidOutput, ...InvalidOutput[]] = ["name", "shape", "no payload", "function"];

function makeHeaders(random: Random, refused: EventPlan["refused"]): EventPlan["headers"] {
  if (refused === "headers") return { "x-large": "l".repeat(2_000) };
  return random.chance(0.2) ? { "x-tenant": "t1", note: "n".repeat(random.integer(0, 40)) } : {};
}
