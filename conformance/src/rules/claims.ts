import assert from "node:assert/strict";
import type { Delivery, Settled } from "@papa-events/core/transport";
import { declaration } from "../rig/declaring.ts";
import { pause } from "../rig/until.ts";
import { type RuleTest, rule } from "../rule.ts";
import { numberOf } from "./burying.ts";
import { encoded, numbers } from "./events.ts";

const EVENTS = 10;
const USE_CASE = declaration("claimed", "in");
const OUTPUTS = declaration("outputs", "out");

/** L3: who has an event after a loss that no claim outlives. */
export const claims: readonly RuleTest[] = [
  rule(
    "L3",
    "after a loss that is longer than any lease each event counts once: with who had it, or who has it now",
    async (rig) => {
      const [first, second] = [await rig.connect(), await rig.connect()];
      await first.declarations.declare([USE_CASE, OUTPUTS]);
      const outputs: string[] = [];
      await second.subscribe("outputs", { readAhead: 50, declaration: OUTPUTS.id }, (delivery) => {
        const { from, number } = JSON.parse(Buffer.from(delivery.event.body).toString()) as Output;
        outputs.push(`${number} ${from}`);
        void delivery.settle({ kind: "done", outputs: [] });
      });
      const mine: Delivery[] = [];
      const options = { readAhead: 50, declaration: USE_CASE.id };
      const subscription = await first.subscribe("claimed", options, (delivery) => mine.push(delivery));
      for (const number of numbers(EVENTS)) await first.publish([encoded("in", { number })]);
      await rig.until("they are delivered", () => mine.length === EVENTS);
      await subscription.stop();
      const handle = async (delivery: Delivery, from: string): Promise<Settled> => {
        const output = encoded("out", { number: numberOf(delivery.event), from });
        return delivery.settle({ kind: "done", outputs: [output] });
      };
      const before = mine.slice();
      await second.subscribe("claimed", options, (delivery) => void handle(delivery, "second").catch(() => {}));
      await rig.faults.disconnect();
      await pause((rig.description.longestLease ?? 1_000) * 1.5);
      await rig.faults.reconnect();
      await rig.until("the connection is back", async () => (await first.publish([encoded("nobody")])).length === 0);
      const settled = await Promise.all(before.map((delivery) => handle(delivery, "first")));
      const counted = new Set(numbers(EVENTS).filter((_, index) => settled[index] === "stored"));
      const has = (number: number, from: string) => outputs.includes(`${number} ${from}`);
      const numbersOf = before.map(({ event }) => numberOf(event));
      await rig.until(
        () => `each has been handled; ${outputs.join()} have, and settled were ${settled.join()}`,
        () => numbersOf.every((number, index) => has(number, counted.has(index) ? "first" : "second")),
      );
      await rig.until("all are gone", async () => {
        const { ready, inFlight } = await second.inspect("claimed");
        return ready + inFlight === 0;
      });
      const { atomicOutputs, exclusive } = second.capabilities;
      if (exclusive === "until-evicted") {
        rig.weaker.push("what an evicted instance still handles counts, also where another one has handled it since");
        return;
      }
      for (const [index, number] of numbersOf.entries()) {
        const other = counted.has(index) ? "second" : "first";
        if (other === "second" || atomicOutputs)
          assert(
            !has(number, other),
            `event ${number} was ${settled[index]} for the first, and counts for the ${other}`,
          );
      }
      if (!atomicOutputs) rig.weaker.push("the outputs of a settlement that is lost may be published");
    },
  ),
];

interface Output {
  readonly number: number;
  readonly from: string;
}
