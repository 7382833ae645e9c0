import assert from "node:assert/strict";
import { isPapaError } from "@papa-events/core";
import { declaration } from "../rig/declaring.ts";
import { type RuleTest, rule } from "../rule.ts";
import { sorted } from "./events.ts";

const SEVERITIES: readonly string[] = ["error", "warning", "info"];

/** L1, L4 and L6: operators connect, look, and are told when they cannot. */
export const operating: readonly RuleTest[] = [
  rule("L1", "an operator who connects to an empty namespace, and looks, makes nothing there", async (rig) => {
    const { connection, administration } = await rig.operate();
    const look = async () => {
      assert.deepEqual(await administration.useCases(), []);
      assert.deepEqual(await administration.paused(), []);
      assert.deepEqual((await connection.declarations.list()) ?? [], []);
      assert.deepEqual(await connection.declarations.list("nothing"), []);
      await assert.rejects(connection.inspect("nothing"), isUnknown);
      await assert.rejects(connection.deadLetters("nothing").count(), isUnknown);
      await assert.rejects(connection.deadLetters("nothing").scan("oldest")[Symbol.asyncIterator]().next(), isUnknown);
    };
    await look();
    await administration.diagnose();
    const other = await rig.operate();
    assert.deepEqual(await other.administration.useCases(), []);
    await other.connection.close();
    await look();
  }),

  rule("L1", "what operators find is what apps have declared, by any connection", async (rig) => {
    const { connection, administration } = await rig.operate();
    const app = await rig.connect({ appName: "billing" });
    await app.declarations.declare([declaration("b-two", "a", "b.#"), declaration("a-one", "c")]);
    assert.deepEqual(await administration.useCases(), ["a-one", "b-two"]);
    const records = await connection.declarations.list("b-two");
    assert.deepEqual(sorted([...new Set(records.flatMap(({ patterns }) => patterns))]), ["a", "b.#"]);
    assert.deepEqual(await connection.inspect("a-one"), { ready: 0, inFlight: 0, waiting: 0, dead: 0 });
    assert.equal(await connection.deadLetters("a-one").count(), 0);
  }),

  rule("L6", "what is diagnosed says what, why and what to do, and no secret", async (rig) => {
    const { administration } = await rig.operate();
    await (await rig.connect()).declarations.declare([declaration("diagnosed", "a")]);
    const findings = await administration.diagnose();
    for (const { severity, what, why, remedy } of findings) {
      assert(SEVERITIES.includes(severity), severity);
      for (const text of [what, why, remedy]) assert(text.length > 10, `too short: "${text}"`);
    }
    assert.equal(new Set(findings.map(({ what }) => what)).size, findings.length, "something is said twice");
    // A broker that was made for this suite has nothing that loses events.
    const errors = findings.filter(({ severity }) => severity === "error").map(({ what }) => what);
    assert.deepEqual(errors, []);
  }),

  rule("L3", "while the broker is away operators are told so at once", async (rig) => {
    const { connection, administration } = await rig.operate();
    await (await rig.connect()).declarations.declare([declaration("known", "a")]);
    await rig.faults.disconnect();
    const asks = {
      useCases: () => administration.useCases(),
      paused: () => administration.paused(),
      pause: () => administration.pause("known"),
      resume: () => administration.resume("known"),
      remove: () => administration.remove("known", "purge"),
      diagnose: () => administration.diagnose(),
      count: () => connection.deadLetters("known").count(),
      scan: () => connection.deadLetters("known").scan("oldest")[Symbol.asyncIterator]().next(),
      purge: () => connection.deadLetters("known").purge("all"),
    };
    for (const [name, ask] of Object.entries(asks)) {
      const told = await Promise.race([
        ask().then(
          () => "it answered",
          (error: unknown) => (isPapaError(error, "connection-failed") && error.retryable ? "refused" : String(error)),
        ),
        new Promise((resolve) => setTimeout(resolve, rig.patience, "no answer").unref()),
      ]);
      assert.equal(told, "refused", name);
    }
    await rig.faults.reconnect();
    await rig.until("it is as before", async () => {
      try {
        return (await administration.useCases()).join() === "known";
      } catch {
        // The connection may not be back yet.
        return false;
      }
    });
  }),
];

function isUnknown(error: unknown): boolean {
  return isPapaError(error, "unknown-use-case");
}
