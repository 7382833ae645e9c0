/** Around every handler: a trace of what ran, and duplicates sorted out by the event's id. */
import assert from "node:assert/strict";
import { PapaApp, useCase, type Wrap } from "@papa-events/core";
import { memory, virtualClock } from "@papa-events/transport-memory";

/** Tells when each handler ran, for whatever collects such things. */
const traced: Wrap = async (ctx, next) => {
  try {
    const result = await next();
    console.log(`${ctx.eventName}, attempt ${ctx.attempt}: done`);
    return result;
  } catch (error) {
    console.log(`${ctx.eventName}, attempt ${ctx.attempt}: failed`);
    throw error;
  }
};

/** "At least once" made once: `ctx.id` is the same on every redelivery. A service keeps the ids with its data. */
function once(done: Set<string>): Wrap {
  return async (ctx, next) => {
    if (done.has(ctx.id)) return console.log("A duplicate, skipped");
    const result = await next();
    done.add(ctx.id);
    return result;
  };
}

let balance = 100;
const withdraw = useCase(
  "withdraw",
  { on: "money.withdrawn", wrap: once(new Set()) },
  async (_payload, { attempt }) => {
    if (attempt === 1) throw new Error("The account is locked for a moment");
    balance -= 30;
  },
);

// A broker that delivers every event once more than needed, and waits for no real time.
const clock = virtualClock();
const duplicated = new Set<string>();
const transport = memory({ clock, duplicate: ({ id }) => duplicated.size < duplicated.add(id).size });

const app = new PapaApp({ transport, wrap: traced });
app.use(withdraw);
await app.start();
await app.newEvent("money.withdrawn", { amount: 30 });
await clock.advance("10s");
await app.stop();

assert.equal(balance, 70);
console.log(`The balance is ${balance}`);
