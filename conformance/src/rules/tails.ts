import assert from "node:assert/strict";
import { operator } from "@papa-events/core/operator";
import {
  type Administration,
  type Connection,
  EventReader,
  type ReceivedEvent,
  systemClock,
  type TailListener,
} from "@papa-events/core/transport";
import { Calls } from "../rig/calls.ts";
import { pause } from "../rig/until.ts";
import { type RuleTest, rule } from "../rule.ts";
import { numberOf } from "./burying.ts";
import { encoded, publishMany, sorted } from "./events.ts";
import { code } from "./publishing.ts";

/** More than a reader that does not read is kept. */
const FLOOD = 3_000;
/** Long enough for what should not come. */
const WATCHED_MS = 500;

/** L6: operators who look at what is published. */
export const tails: readonly RuleTest[] = [
  rule("L6", "a tail shows what is published from then on by its patterns, each event once", async (rig) => {
    const { administration } = await rig.operate();
    const calls = new Calls(({ name, attempt }) => {
      if (attempt === 1 && name === "user.made") throw new Error("once");
      return name === "user.made" ? { name: "output.made", payload: { number: 4 } } : undefined;
    });
    const app = rig.app().onEvent("#", { useCase: "all" }, calls.handler);
    await app.start();
    await app.newEvent("user.old", { number: 0 });
    const shown = new Shown();
    const tail = await administration.tail(["user.#", "*.made"], shown);
    for (const [number, name] of ["user.made", "other.thing", "user", "thing.made"].entries())
      await app.newEvent(name, { number }, { headers: { tenant: `t-${number}` } });
    const names = ["output.made", "thing.made", "user", "user.made"];
    await rig.until(
      () => `it shows them; it shows ${shown.names.join()}`,
      () => shown.events.length >= names.length,
    );
    await rig.until("all are handled", () => calls.count === 7);
    await rig.untilEmpty(app);
    assert.deepEqual(sorted(shown.names), names, "a retry is not published, and two patterns show an event once");
    const one = shown.events[shown.names.indexOf("thing.made")];
    assert(one !== undefined);
    assert.deepEqual([numberOf(one), new EventReader(one, systemClock).text("tenant")], [3, "t-3"]);
    await tail.stop();
    await tail.stop();
    await app.newEvent("user.late", { number: 9 });
    await rig.until("the use case has it", () => calls.count === 8);
    await pause(WATCHED_MS);
    assert.equal(shown.events.length, names.length, "a stopped tail goes on");
    assert.deepEqual([shown.ends, shown.dropped], [0, 0]);
  }),

  rule("L6", "a tail disturbs no use case, wants no event, and leaves nothing behind", async (rig) => {
    const { connection, administration } = await rig.operate();
    const calls = new Calls();
    const app = rig.app().onEvent("known", { useCase: "only" }, calls.handler);
    await app.start();
    const before = await stateOf(connection, administration);
    const shown = [new Shown(), new Shown()];
    const [one] = await Promise.all(shown.map((each) => administration.tail(["#"], each)));
    const publisher = await rig.publisher({ unwanted: "refuse" });
    await assert.rejects(publisher.newEvent("unknown", {}), code("unwanted-event"));
    await publishMany(publisher, "known", 100);
    await rig.until("all are handled", () => calls.count === 100);
    await rig.untilEmpty(app);
    await rig.until("both show all", () => shown.every(({ events }) => events.length >= 100));
    assert.deepEqual(await stateOf(connection, administration), before);
    await one?.stop();
    assert.deepEqual(await stateOf(connection, administration), before);
    // The other one's process dies, and the app's with it.
    await rig.faults.crash();
    const after = await rig.operate();
    assert.deepEqual(await stateOf(after.connection, after.administration), before);
    await publishMany(await rig.publisher({ unwanted: "accept" }), "known", 5);
    const next = await rig.connect();
    const { ready } = await next.inspect("only");
    assert.equal(ready, 5, "a use case has more or less than was published for it");
  }),

  rule("L6", "a tail ends with its connection, once, and says why", async (rig) => {
    const { connection, administration } = await rig.operate();
    const shown = [new Shown(), new Shown()];
    const [tail, stopped] = await Promise.all(shown.map((each) => administration.tail(["a"], each)));
    await stopped?.stop();
    await rig.faults.disconnect();
    await rig.until("it ends", () => shown[0]?.ends === 1);
    assert(shown[0]?.error instanceof Error);
    await rig.faults.reconnect();
    await rig.until(
      "it is published",
      async () => (await connection.publish([encoded("a", { number: 0 })])).length === 0,
    );
    await tail?.stop().catch(() => {});
    await pause(WATCHED_MS);
    assert.deepEqual(shown[0]?.names, []);
    assert.deepEqual([shown[0]?.ends, shown[1]?.ends], [1, 0]);
    const anew = new Shown();
    await rig.until("there can be another one", async () => {
      try {
        await administration.tail(["a"], anew);
        return true;
      } catch {
        // The connection may not be back yet.
        return false;
      }
    });
    await connection.publish([encoded("a", { number: 1 })]);
    await rig.until("it shows what is published", () => anew.events.length === 1);
  }),

  rule("L6", "a tail that nobody reads slows no publisher, and its reader learns how much was dropped", async (rig) => {
    // Nothing is opened where operators have no administration.
    await rig.operate();
    const ops = operator(rig.transport(), { logger: rig.log });
    rig.onClose(() => ops.close());
    const controller = new AbortController();
    const tail = ops.tail("flood.#", { signal: controller.signal });
    const first = tail.next();
    const publisher = await rig.publisher({ unwanted: "accept" });
    let read: Awaited<typeof first> | undefined;
    first.then(
      (result) => {
        read = result;
      },
      () => {},
    );
    await rig.until("it has begun", async () => {
      await publisher.newEvent("flood.first", { number: -1 });
      return read !== undefined;
    });
    await publishMany(publisher, "flood.one", FLOOD);
    // Not read yet: most of them come meanwhile.
    await pause(WATCHED_MS);
    await publisher.newEvent("flood.last", { number: FLOOD });
    let seen = 0;
    let dropped = 0;
    // The last one may be among those that were dropped: one that comes later tells of it.
    const later = setInterval(() => void publisher.newEvent("flood.last", { number: FLOOD }).catch(() => {}), 200);
    try {
      for await (const event of tail) {
        if (event.name === "flood.one") seen += 1;
        dropped += event.dropped;
        if (event.name === "flood.last") break;
      }
    } finally {
      clearInterval(later);
    }
    assert(seen + dropped >= FLOOD, `${seen} were seen and ${dropped} dropped, of ${FLOOD}`);
    assert(seen > 0, "none was kept for its reader");
  }),
];

/** What a tail shows. */
class Shown implements TailListener {
  readonly events: ReceivedEvent[] = [];
  dropped = 0;
  ends = 0;
  error: Error | undefined;

  get names(): string[] {
    return this.events.map((event) => new EventReader(event, systemClock).name);
  }

  readonly onEvent = (event: ReceivedEvent): void => {
    this.events.push(event);
  };

  readonly onDropped = (count: number): void => {
    this.dropped += count;
  };

  readonly onEnd = (error: Error): void => {
    this.ends += 1;
    this.error = error;
  };
}

/** What the namespace remembers. */
async function stateOf(connection: Connection, administration: Administration): Promise<unknown> {
  const records = await connection.declarations.list();
  return {
    useCases: await administration.useCases(),
    declared: records?.map(({ useCase, patterns }) => `${useCase} ${patterns}`),
  };
}
