import type { EventNote, SettlementNote } from "../../history/entry.ts";
import type { History } from "../../history/history.ts";
import type { Database } from "../../redis/database.ts";
import type { StreamEntry, StreamGroup } from "../../redis/stream.ts";
import { idText } from "../../redis/stream-id.ts";
import { BINDINGS, DECLARATIONS, GROUP, keyOf, type Packed, RELEASED, unpack, useCaseOf } from "./layout.ts";
import { Asked, Mirror, type MirroredEntry } from "./mirror.ts";

/** A due time has three decimals. */
const ROUNDING_MS = 0.01;

export interface ObserverOptions {
  readonly database: Database;
  readonly history: History;
  /** Milliseconds of the server's clock. */
  readonly now: () => number;
  readonly goesWrong: (what: string, rule: string) => void;
}

/** What went out of, and came into, one use case with one command. */
interface Changes {
  readonly mirror: Mirror;
  readonly gone: MirroredEntry[];
  readonly came: StreamEntry[];
  readonly newWaiting: Map<string, Packed>;
  readonly newDead: Map<string, Packed>;
  readonly goneWaiting: Packed[];
  readonly goneDead: Map<string, Packed>;
}

/**
 * Looks at what the server holds after each command, and notes what has changed as what it means: stored, delivered,
 * settled, lost. It knows how the keys are laid out, and nothing of the scripts.
 */
export class Observer {
  readonly asked = new Asked();
  readonly #options: ObserverOptions;
  readonly #mirrors = new Map<string, Mirror>();
  /** Which process a consumer belongs to. */
  readonly #processes = new Map<string, string>();
  /** The number of the delivery of an entry to a consumer. */
  readonly #deliveries = new Map<string, number>();
  #bindings = new Set<string>();
  #declarations = new Map<string, string>();
  #lastDelivery = 0;

  constructor(options: ObserverOptions) {
    this.#options = options;
  }

  /** The number of the delivery of an entry to a consumer; 0 where there was none. */
  deliveryOf(useCase: string, entry: string, consumer: string): number {
    return this.#deliveries.get(`${useCase} ${entry} ${consumer}`) ?? 0;
  }

  /** @param process whose command it was */
  look(process: string, written: ReadonlySet<string>): void {
    if (written.size === 0) return;
    if (written.has(DECLARATIONS)) this.#lookAtDeclarations(process);
    if (written.has(BINDINGS)) this.#lookAtBindings(process);
    const useCases = new Set<string>();
    for (const key of written) {
      const useCase = useCaseOf(key);
      if (useCase !== undefined) useCases.add(useCase);
    }
    const all = [...useCases].sort().map((useCase) => this.#changesOf(useCase));
    for (const changes of all) this.#putBack(changes);
    const settled = all.flatMap((changes) => changes.gone.map((entry) => this.#settled(changes, entry)));
    const redriven = all.flatMap((changes) => this.#redriven(changes));
    this.#stored(process, all);
    for (const note of [...settled, ...redriven]) note();
    for (const changes of all) {
      this.#unexplained(changes);
      this.#lookAtOwners(process, changes.mirror);
      this.#lookAtTrials(process, changes.mirror);
    }
  }

  // What is declared.

  #lookAtDeclarations(process: string): void {
    const fields = this.#options.database.hash(DECLARATIONS)?.fields ?? new Map<string, string>();
    for (const [field, value] of fields) {
      if (this.#declarations.get(field) === value) continue;
      const [useCase = "", declaration = "", ...app] = field.split(" ");
      const [, ...patterns] = value.split(" ");
      const about = { useCase, declaration, app: app.join(" "), patterns };
      this.#options.history.add({ kind: "declares", process, ...about });
    }
    this.#declarations = new Map(fields);
  }

  #lookAtBindings(process: string): void {
    const fields = new Set(this.#options.database.hash(BINDINGS)?.fields.keys() ?? []);
    for (const field of this.#bindings) {
      if (fields.has(field)) continue;
      const [useCase = "", pattern = ""] = field.split(" ");
      this.#options.history.add({ kind: "withdraws", process, useCase, patterns: [pattern], idle: 0 });
    }
    this.#bindings = fields;
  }

  // What is in the queues, waits, and is dead.

  #changesOf(useCase: string): Changes {
    const { database } = this.#options;
    let mirror = this.#mirrors.get(useCase);
    if (mirror === undefined) this.#mirrors.set(useCase, (mirror = new Mirror(useCase)));
    const stream = database.stream(keyOf("queue", useCase));
    const present = new Map([...(stream?.entries() ?? [])].map((entry) => [idText(entry.id), entry]));
    const waiting = difference(mirror.waiting, database.hash(keyOf("waiting", useCase))?.fields);
    const dead = difference(mirror.dead, database.hash(keyOf("dead", useCase))?.fields);
    const known = mirror.entries;
    const gone = [...known.values()].filter(({ id }) => !present.has(id));
    for (const { id } of gone) known.delete(id);
    // In the order in which they were given up, which that of the dead letters is.
    const order = [...dead.added.values()].map(({ event }) => event.id);
    gone.sort((one, other) => order.indexOf(one.event.id) - order.indexOf(other.event.id));
    return {
      mirror,
      gone,
      came: [...present].filter(([id]) => !known.has(id)).map(([, entry]) => entry),
      newWaiting: waiting.added,
      newDead: dead.added,
      goneWaiting: [...waiting.removed.values()],
      goneDead: dead.removed,
    };
  }

  /** What waited and is back in its queue. */
  #putBack({ mirror, came, goneWaiting }: Changes): void {
    for (const packed of goneWaiting) {
      const { useCase, due } = mirror;
      if (this.#takeCame(mirror, came, packed) === undefined) {
        this.#options.goesWrong(`${nameOf(packed)} of ${useCase} waits no more and is not in the queue`, "H1");
        continue;
      }
      const late = this.#options.now() - (due.get(packed) ?? Number.NaN);
      this.#options.history.add({ kind: "puts back", useCase, event: packed.event, late });
    }
  }

  /** What has gone from a queue, as what it was settled. */
  #settled({ mirror, newWaiting, newDead }: Changes, entry: MirroredEntry): () => void {
    const { useCase } = mirror;
    const { delivery, process, event } = entry;
    const settled = this.#outcomeOf(useCase, entry, take(newWaiting, event), take(newDead, event));
    return () => {
      if (settled === undefined) return;
      const about = { process, useCase, delivery, event, settlement: settled };
      this.#options.history.add({ kind: "settled", ...about, result: "stored" });
    };
  }

  #outcomeOf(
    useCase: string,
    entry: MirroredEntry,
    waiting: readonly [id: string, packed: Packed] | undefined,
    dead: readonly [id: string, packed: Packed] | undefined,
  ): SettlementNote | undefined {
    const { asked, goesWrong } = { asked: this.asked, ...this.#options };
    const { delivery, attempt } = entry;
    const what = `${nameOf(entry)} of ${useCase}`;
    if (dead !== undefined) {
      const settlement = asked.latest(delivery, "dead");
      if (settlement === undefined) goesWrong(`${what} is given up, which nobody who has it asked for`, "H1");
      else if (settlement.letter !== dead[0]) goesWrong(`${what} is given up under another id`, "D1");
      return settlement;
    }
    if (waiting === undefined) {
      const settlement = asked.latest(delivery, "done");
      if (settlement === undefined) goesWrong(`${what} is gone, and nobody who has it asked for that`, "H1");
      return settlement;
    }
    const [id, packed] = waiting;
    const settlement = packed.attempt > attempt ? asked.latest(delivery, "retry") : asked.latest(delivery, "forward");
    if (settlement === undefined) {
      goesWrong(`${what} waits, which nobody who has it asked for`, "H1");
      return undefined;
    }
    if (packed.attempt !== settlement.attempt)
      goesWrong(`${what} waits as attempt ${packed.attempt}, not ${settlement.attempt}`, "T4");
    const due = this.#options.database.sortedSet(keyOf("due", useCase))?.scores.get(id);
    const delay = (due ?? Number.NaN) - this.#options.now();
    if (!(Math.abs(delay - settlement.delay) <= ROUNDING_MS))
      goesWrong(`${what} waits for ${delay} ms, not ${settlement.delay}`, "T2");
    if (due !== undefined) this.#mirrors.get(useCase)?.due.set(packed, due);
    return settlement.kind === "forward" ? { ...settlement, to: undefined } : settlement;
  }

  /** Dead letters that are back in their queue; the others that are gone were purged. */
  #redriven({ mirror, came, goneDead }: Changes): (() => void)[] {
    const { history } = this.#options;
    const { useCase } = mirror;
    const notes: (() => void)[] = [];
    const purged: string[] = [];
    for (const [letter, { event }] of goneDead) {
      const redriven = this.#takeCame(mirror, came, { event, attempt: 1 });
      if (redriven === undefined) purged.push(letter);
      else notes.push(() => history.add({ kind: "redrives", useCase, letter, event }));
    }
    if (purged.length > 0) notes.push(() => history.add({ kind: "purges", useCase, letters: purged }));
    return notes;
  }

  /** What else has come was published. */
  #stored(process: string, all: readonly Changes[]): void {
    const events = new Map<string, { readonly event: EventNote; readonly queues: string[] }>();
    for (const { mirror, came } of all) {
      for (const entry of came.splice(0)) {
        const { event } = this.#arrived(mirror, entry);
        const stored = events.get(event.id);
        if (stored === undefined) events.set(event.id, { event, queues: [mirror.useCase] });
        else stored.queues.push(mirror.useCase);
      }
    }
    for (const { event, queues } of events.values()) {
      // Each time that it was stored for all who want it.
      const rounds = Math.max(...queues.map((queue) => queues.filter((each) => each === queue).length));
      for (let round = 0; round < rounds; round += 1) {
        const ofRound = [...new Set(queues.filter((queue) => queues.filter((each) => each === queue).length > round))];
        this.#options.history.add({ kind: "stores", process, events: [event], of: "publish", queues: ofRound });
      }
    }
  }

  #unexplained({ mirror, newWaiting, newDead }: Changes): void {
    for (const [, packed] of [...newWaiting, ...newDead])
      this.#options.goesWrong(`${nameOf(packed)} of ${mirror.useCase} is stored, and its entry stays`, "R2");
  }

  #takeCame(mirror: Mirror, came: StreamEntry[], wanted: Pick<Packed, "event" | "attempt">): Packed | undefined {
    const index = came.findIndex((entry) => {
      const { event, attempt } = packedIn(entry);
      return event.id === wanted.event.id && attempt === wanted.attempt;
    });
    const [entry] = index === -1 ? [] : came.splice(index, 1);
    return entry && this.#arrived(mirror, entry);
  }

  #arrived(mirror: Mirror, entry: StreamEntry): Packed {
    const packed = packedIn(entry);
    const id = idText(entry.id);
    mirror.entries.set(id, { ...packed, id, consumer: undefined, deliveries: 0, delivery: 0, process: "" });
    return packed;
  }

  // Who has what.

  #lookAtOwners(process: string, mirror: Mirror): void {
    const { useCase } = mirror;
    const stream = this.#options.database.stream(keyOf("queue", useCase));
    const group = stream?.groups.get(GROUP);
    if (stream === undefined || group === undefined) return;
    for (const entry of mirror.entries.values()) {
      const found = pendingOf(group, stream.get(idOf(entry.id)));
      if (found === undefined) {
        if (entry.consumer !== undefined)
          this.#options.goesWrong(`${nameOf(entry)} of ${useCase} is in the queue and nobody's any more`, "H1");
        entry.consumer = undefined;
      } else if (found.consumer !== entry.consumer) this.#changesHands(process, useCase, entry, found);
      else if (found.deliveries < entry.deliveries) this.#forgives(useCase, entry);
      entry.deliveries = found?.deliveries ?? 0;
    }
  }

  #changesHands(
    process: string,
    useCase: string,
    entry: MirroredEntry,
    { consumer, deliveries }: { readonly consumer: string; readonly deliveries: number },
  ): void {
    const { delivery, event } = entry;
    const from = entry.process;
    entry.consumer = consumer;
    if (consumer === RELEASED || consumer.startsWith(`${RELEASED} `)) {
      this.#givesBack(useCase, entry, consumer.slice(RELEASED.length + 1), deliveries);
      entry.delivery = 0;
      entry.process = "";
      return;
    }
    const to = this.#processes.get(consumer) ?? process;
    this.#processes.set(consumer, to);
    if (delivery !== 0 && from === to) {
      // It goes on under another name.
      this.#deliveries.set(`${useCase} ${entry.id} ${consumer}`, delivery);
      if (deliveries !== entry.deliveries)
        this.#options.goesWrong(`${nameOf(entry)} of ${useCase} counts for another time with ${to}`, "T6");
      return;
    }
    if (delivery !== 0)
      this.#options.history.add({ kind: "loses", process: from, useCase, delivery, event, unexplained: true });
    this.#lastDelivery += 1;
    entry.delivery = this.#lastDelivery;
    entry.process = to;
    this.#deliveries.set(`${useCase} ${entry.id} ${consumer}`, entry.delivery);
    this.#options.history.add({
      kind: "delivers",
      process: to,
      useCase,
      delivery: entry.delivery,
      event,
      attempt: entry.attempt,
      redeliveries: deliveries - 1,
      bytes: entry.bytes,
    });
  }

  /** @param to the declaration that it is for alone, or nothing */
  #givesBack(useCase: string, entry: MirroredEntry, to: string, deliveries: number): void {
    const { delivery, process, event } = entry;
    if (delivery === 0) return;
    if (deliveries !== Math.max(0, entry.deliveries - 1))
      this.#options.goesWrong(`${nameOf(entry)} of ${useCase} is given back and counts as delivered`, "T6");
    const about = { process, useCase, delivery, event };
    const settlement = to === "" ? this.asked.latest(delivery, "release") : this.asked.latest(delivery, "forward");
    if (settlement === undefined) {
      if (to !== "") this.#options.goesWrong(`${nameOf(entry)} of ${useCase} is forwarded unasked`, "R6");
      this.#options.history.add({ kind: "loses", ...about, unexplained: false });
    } else {
      const note = settlement.kind === "forward" ? { ...settlement, to } : settlement;
      this.#options.history.add({ kind: "settled", ...about, settlement: note, result: "stored" });
    }
  }

  #forgives(useCase: string, { delivery, event }: MirroredEntry): void {
    this.#options.history.add({ kind: "forgives", useCase, delivery, event });
  }

  #lookAtTrials(process: string, { useCase, trials }: Mirror): void {
    const { database, history } = this.#options;
    const found = new Map<string, readonly string[]>();
    for (const [id, record] of database.hash(keyOf("trials", useCase))?.fields ?? [])
      found.set(id, record.split(" ").slice(1));
    for (const [id, before] of trials) {
      const now = found.get(id) ?? [];
      for (const trial of before)
        if (!now.includes(trial)) history.add({ kind: "takes a trial back", process, useCase, id, trial });
    }
    for (const [id, now] of found) {
      const before = trials.get(id) ?? [];
      for (const trial of now)
        if (!before.includes(trial))
          history.add({ kind: "begins a trial", process, useCase, id, trial, deaths: before.length });
    }
    trials.clear();
    for (const [id, now] of found) trials.set(id, now);
  }
}

function packedIn({ fields }: StreamEntry): Packed {
  return unpack(fields[1] ?? "");
}

function pendingOf(group: StreamGroup, entry: StreamEntry | undefined) {
  return entry && group.get(entry.id);
}

function idOf(text: string) {
  const [ms, seq] = text.split("-");
  return { ms: Number(ms), seq: Number(seq) };
}

function nameOf({ event: { label, id } }: Pick<Packed, "event">): string {
  return label === "" ? id : label;
}

/** Makes `known` what is there, and gives what has come and gone. */
function difference(known: Map<string, Packed>, present: ReadonlyMap<string, string> = new Map()) {
  const added = new Map<string, Packed>();
  const removed = new Map<string, Packed>();
  for (const [id, packed] of known) {
    if (present.has(id)) continue;
    removed.set(id, packed);
    known.delete(id);
  }
  for (const [id, packed] of present) {
    if (known.has(id)) continue;
    const unpacked = unpack(packed);
    added.set(id, unpacked);
    known.set(id, unpacked);
  }
  return { added, removed };
}

/** Takes the first that is of an event. */
function take(
  from: Map<string, Packed>,
  { id: eventId }: EventNote,
): readonly [id: string, packed: Packed] | undefined {
  for (const [id, packed] of from) {
    if (packed.event.id !== eventId) continue;
    from.delete(id);
    return [id, packed];
  }
  return undefined;
}
