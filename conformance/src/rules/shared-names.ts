import assert from "node:assert/strict";
import { Calls } from "../rig/calls.ts";
import { pause } from "../rig/until.ts";
import { type RuleTest, rule } from "../rule.ts";
import { sorted } from "./events.ts";

const GRACE_MS = 2_000;
/** Long enough for several looks at what others declare. */
const SEVERAL_LOOKS_MS = GRACE_MS / 2;

/** R9: apps that share a use case by mistake. */
export const sharedNames: readonly RuleTest[] = [
  rule(
    "R9",
    "two apps that declare one use case with different patterns are warned of each other, once",
    async (rig) => {
      const start = async (name: string, pattern: string) => {
        const app = rig.app({ name, declarationGrace: GRACE_MS });
        app.onEvent(pattern, { useCase: "mail" }, new Calls().handler);
        app.onEvent("alike", { useCase: "agreed" }, new Calls().handler);
        await app.start();
      };
      await start("billing", "paid");
      await start("shipping", "sent");
      // A newer version of the same app is not another app.
      await start("billing", "paid.#");
      const { declarations } = await rig.connect();
      const records = await declarations.list();
      if (records === undefined || records.some(({ app }) => app === undefined)) {
        rig.weaker.push("the broker does not know which app has declared what, so that no app is warned of another");
        return;
      }
      assert.deepEqual(
        sorted(records.filter(({ useCase }) => useCase === "mail").map(({ app, patterns }) => `${app} ${patterns}`)),
        ["billing paid", "billing paid.#", "shipping sent"],
      );
      const warnings = () =>
        rig.log.lines.flatMap(({ level, about }) =>
          level === "warn" && "otherApp" in about && "useCase" in about ? [`${about.useCase}: ${about.otherApp}`] : [],
        );
      const expected = ["mail: billing", "mail: shipping", "mail: shipping"];
      await rig.until("all are warned", () => warnings().length >= expected.length);
      await pause(SEVERAL_LOOKS_MS);
      assert.deepEqual(sorted(warnings()), expected);
    },
  ),
];
