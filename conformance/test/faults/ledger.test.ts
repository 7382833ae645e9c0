import assert from "node:assert/strict";
import { test } from "vitest";
import { Ledger } from "../../src/faults/counting/ledger.ts";

test("a ledger counts what is lost, what came twice and which attempts are wrong", () => {
  const ledger = new Ledger();
  const facts = [
    "confirmed 1",
    "confirmed 2",
    "confirmed 3",
    "handled 1 1",
    "handled 1 2",
    "handled 2 1",
    "handled 4 1",
  ];
  for (const fact of [...facts, "collected 1", "collected 1", "collected 4", "collected 4"]) ledger.take(fact);
  const { confirmed, handled, unhandled, withoutOutput, duplicates, miscounted, complete } = ledger;
  assert.deepEqual(
    { confirmed, handled, unhandled, withoutOutput, duplicates, miscounted, complete },
    { confirmed: 3, handled: 3, unhandled: 1, withoutOutput: 1, duplicates: 1, miscounted: 1, complete: false },
  );
  assert.deepEqual(ledger.missing(5), { events: [3], outputs: [2] });
  // Number 1 was handled twice, number 4 once.
  assert.deepEqual([ledger.duplicateOutputs, ledger.outputsAlone], [2, 1]);
});

test("a ledger tells why something came again", () => {
  const ledger = new Ledger();
  const handled = (number: number, ...processes: number[]) => {
    for (const process of processes) ledger.take(`handled ${number} 1`, process);
  };
  handled(1, 1, 2);
  assert.deepEqual(ledger.repeats, { kill: 0, lostReply: 0, takeOver: 1 });
  handled(2, 1);
  ledger.causes.killed(1);
  handled(2, 2);
  assert.deepEqual(ledger.repeats, { kill: 1, lostReply: 0, takeOver: 1 });
  handled(3, 2);
  ledger.causes.struck();
  handled(3, 3);
  assert.deepEqual(ledger.repeats, { kill: 1, lostReply: 1, takeOver: 1 });
});

test("a ledger excuses what was confirmed shortly before, and nothing that is confirmed later", () => {
  const ledger = new Ledger();
  for (const fact of ["confirmed 1", "confirmed 2", "handled 2 1"]) ledger.take(fact);
  ledger.excuse(60_000);
  assert.deepEqual([ledger.unhandled, ledger.withoutOutput, ledger.complete], [1, 1, true]);
  ledger.take("confirmed 3");
  assert.deepEqual([ledger.missing(5).events, ledger.complete], [[3], false]);
});

test("a ledger excuses what is on its way when something is deleted, and one that is never to be handled", () => {
  const ledger = new Ledger();
  for (const fact of ["confirmed 1", "confirmed 2", "handled 2 1", "collected 2"]) ledger.take(fact);
  ledger.excuseOpen();
  ledger.excuseOne(3);
  ledger.take("confirmed 3");
  assert.deepEqual([ledger.unhandled, ledger.missed, ledger.complete], [2, 0, true]);
});
