import assert from "node:assert/strict";
import { isPapaError } from "@papa-events/core";
import { Calls } from "../rig/calls.ts";
import type { Rig } from "../rig/rig.ts";
import { type RuleTest, rule } from "../rule.ts";

/** What is weaker where a broker cannot list the declarations of its namespace. */
const CANNOT_TELL = "the broker cannot list what is declared, so that no publisher is warned";

/** R5: what happens to events that no declared pattern matches. */
export const unwanted: readonly RuleTest[] = [
  rule(
    "R5",
    "the first event of a name that no pattern matches is warned of, once, with the nearest pattern",
    async (rig) => {
      const app = rig.app().onEvent(["user.created", "order.*.paid"], { useCase: "wanting" }, new Calls().handler);
      await app.start();
      const publisher = await rig.publisher();
      await publisher.newEvent("user.create", {});
      if (!(await canTell(rig))) {
        await publisher.newEvent("user.created", {});
        assert.deepEqual(warnings(rig), []);
        rig.weaker.push(CANNOT_TELL);
        return;
      }
      await rig.until("it is warned", () => warnings(rig).length > 0);
      assert.deepEqual(warnings(rig), [{ eventName: "user.create", nearest: "user.created" }]);
      const late = rig.app().onEvent("stock.#", { useCase: "late" }, new Calls().handler);
      await late.start();
      // An earlier look knows nothing of the late one.
      for (const name of ["user.create", "user.created", "order.7.paid", "stock.moved"])
        await publisher.newEvent(name, {});
      await publisher.newEvent("order.7.payed", {});
      await rig.until("the next slip is warned of", () => warnings(rig).length > 1);
      assert.deepEqual(warnings(rig).slice(1), [{ eventName: "order.7.payed", nearest: "order.*.paid" }]);
    },
  ),

  rule("R5", "unwanted events can be refused at the call, until a pattern matches them", async (rig) => {
    const app = rig.app().onEvent("user.created", { useCase: "wanting" }, new Calls().handler);
    await app.start();
    const publisher = await rig.publisher({ unwanted: "refuse" });
    await publisher.newEvent("user.created", {});
    if (!(await canTell(rig))) {
      await publisher.newEvent("user.create", {});
      rig.weaker.push(CANNOT_TELL);
      return;
    }
    await assert.rejects(publisher.newEvent("user.create", {}), (error) => {
      assert(isPapaError(error, "unwanted-event"), String(error));
      assert.deepEqual({ ...error.details }, { eventName: "user.create", nearest: "user.created" });
      return true;
    });
    const calls = new Calls();
    const late = rig.app().onEvent("user.create", { useCase: "late" }, calls.handler);
    await late.start();
    const { id } = await publisher.newEvent("user.create", {});
    await rig.until("it is handled", () => calls.count > 0);
    await rig.untilEmpty(late);
    assert.deepEqual(calls.ids, [id], "the refused one was published");
  }),

  rule("R5", "unwanted events can be published in silence", async (rig) => {
    const publisher = await rig.publisher({ unwanted: "accept" });
    await publisher.newEvent("nobody.cares", {});
    const other = await rig.publisher();
    await other.newEvent("nobody.either", {});
    if (await canTell(rig)) await rig.until("the other is warned", () => warnings(rig).length > 0);
    else rig.weaker.push(CANNOT_TELL);
    assert(warnings(rig).every(({ eventName }) => eventName !== "nobody.cares"));
  }),
];

async function canTell(rig: Rig): Promise<boolean> {
  const { declarations } = await rig.connect();
  return (await declarations.list()) !== undefined;
}

interface Warning {
  readonly eventName: string;
  readonly nearest?: string;
}

/** What was warned of, in order. */
function warnings(rig: Rig): Warning[] {
  const lines = rig.log.lines.filter(({ level, about }) => level === "warn" && "eventName" in about);
  return lines.map(({ about }) => ({ ...about }) as Warning);
}
