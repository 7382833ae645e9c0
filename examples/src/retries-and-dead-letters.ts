/** Retries of an hour and a dead letter, in milliseconds: a virtual clock moves the time of the broker in memory. */
import assert from "node:assert/strict";
import { DeadLetter, exponential, PapaApp, RetryAfter } from "@papa-events/core";
import { memory, virtualClock } from "@papa-events/transport-memory";
import { z } from "zod";

const Invoice = z.object({ number: z.number().int(), account: z.string() });

const clock = virtualClock();
const bank = { open: false, calls: 0 };

await using app = new PapaApp({
  transport: memory({ clock }),
  // A failed attempt is a warning, a dead letter an error; here they are what is shown.
  logger: { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} },
});
app.onEvent(
  "invoice.issued",
  { useCase: "collect_payment", schema: Invoice, retries: 3, retryDelay: exponential({ first: "10m", jitter: 0 }) },
  async ({ number, account }, { attempt }) => {
    bank.calls += 1;
    if (account === "closed") throw new DeadLetter(`The account of invoice ${number} is closed`);
    if (attempt === 1) throw new RetryAfter("5m", { message: "The bank asks to come back in 5 minutes" });
    if (!bank.open) throw new Error("The bank does not answer");
  },
);
await app.start();
const letters = app.deadLetters("collect_payment");

// An error that no retry can fix: a dead letter at once.
await app.newEvent("invoice.issued", { number: 1, account: "closed" });
await clock.settled();
assert.equal((await letters.list()).items[0]?.reason, "rejected");
await letters.purge("all");

// The first attempt, then one after 5 minutes, one 20 and one 40 minutes later, and no more.
bank.calls = 0;
await app.newEvent("invoice.issued", { number: 2, account: "open" });
await clock.advance("5m");
assert.equal(bank.calls, 2);
assert.deepEqual(await app.stats(), { collect_payment: { ready: 0, inFlight: 0, waiting: 1, dead: 0 } });
await clock.advance("20m");
assert.equal(bank.calls, 3);
await clock.advance("40m");
assert.equal(bank.calls, 4);

const [letter] = (await letters.list()).items;
assert.equal(letter?.reason, "retries-exhausted");
assert.equal(letter.error.message, "The bank does not answer");
console.log(`Dead after ${letter.attempts} attempts: ${letter.error.message}`);

// The bank is back: redriven, the event begins anew at attempt 1.
bank.open = true;
await letters.redrive([letter.id]);
await clock.advance("5m");
assert.equal(await letters.count(), 0);
assert.equal(bank.calls, 6);
console.log("Redriven, and paid");
