import assert from "node:assert/strict";
import { type DeadLetterItem, deadLetters, PapaApp } from "@papa-events/core";
import { memory, virtualClock } from "@papa-events/transport-memory";

const clock = virtualClock();
const transport = memory({ clock });
const seen: string[] = [];
const tickets: unknown[] = [];
const openTicket = async (item: DeadLetterItem) => void tickets.push(item.id);

const logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

let broken = true;
// #region listeners
const app = new PapaApp({
  transport,
  logger,
  onRetry: (ctx, error, delay) => void seen.push(`${ctx.useCase} failed, again in ${delay} ms: ${error}`),
  onDeadLetter: (item) => openTicket(item),
});
// #endregion
app.onEvent("user.created", { useCase: "send_welcome", retries: 1 }, () => {
  if (broken) throw new Error("connect ECONNREFUSED");
});
await app.start();
for (let number = 0; number < 5; number += 1) await app.newEvent("user.created", { number });
await clock.advance("10s");
assert.deepEqual([seen.length, tickets.length], [5, 5]);

// #region look
const letters = app.deadLetters("send_welcome");
const { items } = await letters.list({ limit: 20 });
const [newest] = items;
console.log(newest?.eventName, newest?.reason, newest?.error.message, newest?.payload);

if (newest !== undefined) await letters.redrive([newest.id]); // to this use case only, attempt 1, same event id
console.log(await letters.count());
// #endregion
// #region mend
const [oldest] = (await letters.list({ order: "oldest" })).items;
if (oldest !== undefined) await letters.redrive([oldest.id], { payload: { number: 7 } }); // the same event, mended
// #endregion
broken = false;
await clock.settled();
await app.stop();

// #region search
await using stored = deadLetters(transport, "send_welcome"); // no app runs
const where = { reason: "retries-exhausted", text: "ECONNREFUSED", before: new Date(Date.now() + 60_000) } as const;
for await (const { id, payload } of stored.search(where)) console.log(id, payload);

await stored.redrive({ where }, { onProgress: ({ seen, done }) => console.log(`${done} of ${seen}`) });
// #endregion
assert.equal(await stored.count(), 0);
