import assert from "node:assert/strict";
import { DeadLetter, exponential, RetryAfter, useCase } from "@papa-events/core";
import { z } from "zod";

const Invoice = z.object({ number: z.number().int() });

const bank = { status: 200 };
async function callBank(_invoice: z.output<typeof Invoice>, { signal }: { signal: AbortSignal }): Promise<Response> {
  signal.throwIfAborted();
  return new Response(null, { status: bank.status });
}

// #region retries
const collectPayment = useCase(
  "collect_payment",
  {
    on: "invoice.issued",
    schema: Invoice,
    retries: 8,
    retryDelay: exponential({ first: "1s", max: "5m" }),
    timeout: "30s",
  },
  async (invoice, { signal }) => {
    const response = await callBank(invoice, { signal });
    if (response.status === 429) throw new RetryAfter("2m"); // this retry waits so long
    if (response.status === 410) throw new DeadLetter("the account is closed"); // no retry will help
    if (!response.ok) throw new Error(`The bank answers ${response.status}`);
  },
);
// #endregion

await collectPayment.handle({ number: 1 });
for (const [status, kind] of [
  [429, RetryAfter],
  [410, DeadLetter],
  [500, Error],
] as const) {
  bank.status = status;
  await assert.rejects(collectPayment.handle({ number: 1 }), kind);
}
