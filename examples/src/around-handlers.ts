/** Around every handler: a trace of what ran, and duplicates sorted out by the event's id. */
import assert from "node:assert/strict";
import { type OutputEvent, PapaApp, useCase, type Wrap } from "@papa-events/core";
import { memory, virtualClock } from "@papa-events/transport-memory";

/** Says how each call of a handler ended. It returns nothing, so the handler's events stay as they are. */
const traced: Wrap = async (ctx, next) => {
  const call = `${ctx.useCase}, attempt ${ctx.attempt}`;
  try {
    await next();
    console.log(`${call}: done`);
  } catch (error) {
    console.log(`${call}: failed`);
    throw error;
  }
};

/**
 * Does "at least once" once. `ctx.id` is the same on every retry and redelivery. What the handler returned is kept with the
 * mark and returned again: a process may die when the work is done and its events are not published yet.
 *
 * A service writes the mark in the transaction that does the work, with a unique key on the id. One thing is left: events
 * that were published just before the process died are published a second time, under new ids. Whoever handles them needs
 * a key from the payload, such as the number of the withdrawal.
 */
function once(done: Map<string, readonly OutputEvent[]>): Wrap {
  return async (ctx, next) => {
    const before = done.get(ctx.id);
    if (before !== undefined) {
      console.log("A duplicate: not done again, and its events are returned again");
      return before;
    }
    const outputs = await next();
    done.set(ctx.id, outputs);
    return outputs;
  };
}

// What survives a process: its database.
const account = { balance: 100, done: new Map<string, readonly OutputEvent[]>() };

const withdraw = useCase("withdraw", { on: "money.withdrawn", wrap: once(account.done) }, (_payload, { attempt }) => {
  if (attempt === 1) throw new Error("The account is locked for a moment");
  account.balance -= 30;
  return { name: "receipt.issued", payload: { balance: account.balance } };
});
const printReceipt = useCase("print_receipt", { on: "receipt.issued" }, (receipt) => {
  console.log(`Receipt: ${JSON.stringify(receipt)}`);
});

const silent = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
const clock = virtualClock();
const transport = memory({ clock });

/** Pulls the plug when a withdrawal has been made and its receipt is not published yet. */
const dies: Wrap = async ({ useCase }, next) => {
  const outputs = await next();
  if (useCase === "withdraw" && outputs.length > 0) transport.crash();
};

async function startProcess(...wrap: Wrap[]): Promise<PapaApp> {
  const app = new PapaApp({ transport, wrap, logger: silent });
  app.use(withdraw, printReceipt);
  await app.start();
  return app;
}

const first = await startProcess(traced, dies);
await first.newEvent("money.withdrawn", { amount: 30 });
await clock.advance("10s");
console.log("The process died");

const second = await startProcess(traced);
await clock.settled();
await second.stop();

assert.equal(account.balance, 70);
