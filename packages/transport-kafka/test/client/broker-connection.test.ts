import { expect, onTestFinished, test } from "vitest";
import { clientTo } from "../support/admin.ts";
import { brokerUri } from "../support/space.ts";

const PARTITIONS = [{ topic: "none", partition: 0, offset: 0 }];
const LIMITS = { wait: 0, bytes: 1_000, bytesPerPartition: 1_000 };
const numbers = (count: number) => Array.from({ length: count }, (_, number) => number);

/** Makes a client that knows the broker, and a function whose fetch resolves to its outcome. */
async function fetching() {
  const client = clientTo(brokerUri());
  onTestFinished(() => client.close());
  const { nodes } = await client.metadata("all");
  const [node = -1] = nodes;
  const fetch = () =>
    client.fetch(node, PARTITIONS, LIMITS).then(
      () => "answered",
      ({ type }: { type: string }) => type,
    );
  return { client, fetch };
}

/** Interrupts a fetch, and expects it to end soon. */
async function interrupt(client: { interruptFetches(): void }, fetch: Promise<string>): Promise<void> {
  const begun = performance.now();
  client.interruptFetches();
  expect(await fetch).toMatch(/^(CONNECTION|answered)$/);
  expect(performance.now() - begun).toBeLessThan(1_000);
}

/**
 * An instance that is evicted twice in a row closes the connection for its fetches while it is still opening. kafkajs did not
 * notice and kept waiting: nothing was fetched until `connectTimeout` had passed.
 */
test("L3 a fetch that is interrupted while it connects ends at once", async () => {
  for (const turns of numbers(20)) {
    const { client, fetch } = await fetching();
    const fetched = fetch();
    for (let turn = 0; turn < turns; turn += 1) await new Promise((resolve) => setImmediate(resolve));
    await interrupt(client, fetched);
    client.close();
  }
});

test("L3 a fetch that is interrupted while it is encoded ends at once", async () => {
  for (const turns of numbers(40)) {
    const { client, fetch } = await fetching();
    await fetch();
    const fetched = fetch();
    for (let turn = 0; turn < turns; turn += 1) await Promise.resolve();
    await interrupt(client, fetched);
    client.close();
  }
});
