import assert from "node:assert/strict";
import { Calls, Held } from "../rig/calls.ts";
import type { Rig } from "../rig/rig.ts";
import { pause } from "../rig/until.ts";
import { type RuleTest, ruleAlone } from "../rule.ts";

const TEN_MINUTES_MS = 600_000;
const DELAY_MS = 2_000;

/** L9: the time of day of the machine that apps run on. */
export const clocks: readonly RuleTest[] = [
  ruleAlone(
    "L9",
    "the time of day may jump by ten minutes: no retry is early, and nothing changes hands",
    async (rig) => {
      const jump = rig.offered(clockOf(rig));
      const held = new Held();
      const calls = new Calls(({ attempt }) => {
        if (attempt === 1) throw new Error("once");
      });
      const app = rig.app({ retries: 1, retryDelay: DELAY_MS, drainTimeout: 5_000 });
      app.onEvent("timed", { useCase: "timed" }, calls.handler).onEvent("slow", { useCase: "slow" }, held.handler);
      await app.start();
      await app.newEvent("slow", {});
      await rig.until("the slow one runs", () => held.count === 1);
      for (const by of [TEN_MINUTES_MS, -TEN_MINUTES_MS]) {
        const before = calls.count;
        await app.newEvent("timed", { by });
        await rig.until("it waits for its retry", async () => (await app.stats()).timed?.waiting === 1);
        jump(by);
        // As long as a retry that is early would need, at most. A clock that was set back is set right again: no retry has to
        // come before that.
        await pause(DELAY_MS / 2);
        if (by < 0) jump(0);
        await rig.until("its retry comes", () => calls.count === before + 2);
        const [first, second] = calls.list.slice(before);
        assert(first !== undefined && second !== undefined);
        const took = second.at - first.at;
        assert(took >= DELAY_MS, `the clock went by ${by} ms, and a retry of ${DELAY_MS} ms came after ${took} ms`);
      }
      jump(TEN_MINUTES_MS);
      await pause((rig.description.longestLease ?? 1_000) * 1.5);
      jump(0);
      assert.equal(held.count, 1, "what runs was handed out again");
      held.letGo();
      await rig.untilEmpty(app);
      assert.equal(held.count, 1);
      assert.deepEqual(calls.attempts, [1, 2, 1, 2]);
    },
  ),
];

/** Sets what this process takes for the time of day, until the test ends. */
function clockOf(rig: Rig): ((by: number) => void) | string {
  const { clock } = rig.description;
  if (clock !== undefined) return clock;
  const { now } = Date;
  rig.onClose(() => {
    Date.now = now;
  });
  return (by) => {
    Date.now = () => now() + by;
  };
}
