import assert from "node:assert/strict";
import { isPapaError } from "@papa-events/core";
import { Calls } from "../rig/calls.ts";
import { type RuleTest, ruleAlone } from "../rule.ts";
import { publishMany } from "./events.ts";

const PLAIN = 20;
/** Fewer than an instance may hold: each keeps its place until its output is stored (H9). */
const STORING = 5;
const PUBLISH_TIMEOUT_MS = 1_500;

/** L7: brokers that take nothing more. */
export const full: readonly RuleTest[] = [
  ruleAlone(
    "L7",
    "a full broker is drained by who starts then, publishers reject typed, and all goes on later",
    async (rig) => {
      const fill = rig.offered(
        rig.description.faults.fill ?? "the description does not say how its broker is made full",
      );
      const outputs = new Calls();
      const calls = new Calls(({ name }) => (name === "full.storing" ? { name: "output", payload: {} } : undefined));
      const make = () => {
        const app = rig.app().onEvent("full.*", { useCase: "drained" }, calls.handler);
        return app.onEvent("output", { useCase: "outputs" }, outputs.handler);
      };
      const declaring = make();
      await declaring.start();
      await declaring.stop();
      const publisher = await rig.publisher({ publishTimeout: PUBLISH_TIMEOUT_MS });
      await publishMany(publisher, "full.storing", STORING);
      await publishMany(publisher, "full.plain", PLAIN);
      const empty = await fill(rig.namespace);
      rig.onClose(empty);
      const consumer = make();
      await consumer.start();
      await rig.until("all are handled, also behind those whose outputs find no room", () => {
        const plain = calls.list.filter(({ name }) => name === "full.plain");
        return new Set(plain.map(({ id }) => id)).size === PLAIN;
      });
      let left = "";
      await rig.until(
        () => `what stores nothing is gone; there are ${left}`,
        async () => {
          const { drained } = await consumer.stats();
          left = JSON.stringify(drained);
          return drained !== undefined && drained.ready + drained.inFlight + drained.waiting <= STORING;
        },
      );
      await assert.rejects(
        publisher.newEvent("full.plain", {}),
        (error) => isPapaError(error, "publish-timeout") && error.retryable,
      );
      await rig.until("it shows in health()", () =>
        [publisher, consumer].some((app) => {
          const { healthy, reasons } = JSON.parse(JSON.stringify(app.health())) as ReturnType<typeof app.health>;
          return !healthy && reasons.some(({ message }) => message.length > 0);
        }),
      );
      await empty();
      await rig.until("the outputs are stored and handled", () => outputs.distinct >= STORING);
      const { id } = await publisher.newEvent("full.plain", {});
      await rig.until("what is published now is handled", () => calls.ids.includes(id));
      await rig.untilEmpty(consumer);
      await rig.until("both are healthy", () => [publisher, consumer].every((app) => app.health().healthy));
      assert.equal(outputs.count, STORING);
    },
  ),
];
