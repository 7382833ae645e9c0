import { randomUUID } from "node:crypto";
import type { EachBatchPayload, Kafka } from "kafkajs";
import type { ClientOptions } from "../broker-client.ts";
import { makePayload } from "../payload.ts";
import { Commits } from "./commits.ts";
import { PARTITIONS } from "./topic.ts";

const BATCH = 500;
/** How many batches are under way at once. */
const WINDOW = 4;

/** Sends so many records in batches, a few of them under way at once. */
export async function sendBatches(
  count: number,
  envelope: () => Envelope,
  send: (records: Produced[]) => Promise<unknown>,
): Promise<void> {
  let sent = 0;
  const batches = async () => {
    while (sent < count) {
      const from = sent;
      sent = Math.min(count, sent + BATCH);
      await send(Array.from({ length: sent - from }, (_, index) => record(from + index, envelope())));
    }
  };
  await Promise.all(Array.from({ length: WINDOW }, batches));
}

type Produced = ReturnType<typeof record>;

function record(index: number, envelope: Envelope) {
  return {
    partition: Math.floor(index / BATCH) % PARTITIONS,
    value: JSON.stringify(makePayload(index)),
    ...envelope,
  };
}

/** What goes with an event's payload. */
export interface Envelope {
  readonly key?: string;
  readonly headers?: Record<string, string>;
}

/** The envelope that the library sends, so that both move the same bytes. */
export function sameEnvelope(): Envelope {
  return {
    headers: {
      ce_specversion: "1.0",
      ce_id: randomUUID(),
      ce_type: "user.created",
      ce_source: "papa-events",
      ce_time: new Date().toISOString(),
      "content-type": "application/json",
    },
  };
}

/** As little as at-least-once handlers can do with. */
export function onlyAnId(): Envelope {
  return { key: randomUUID() };
}

/** Fetches whole batches, handles so many events at once, and commits what has been handled; resolves to what ends it. */
export async function consumeBatches(
  kafka: Kafka,
  { namespace, handlers, handle }: ClientOptions,
): Promise<() => Promise<void>> {
  if (handle === undefined) return async () => {};
  const consumer = kafka.consumer({ groupId: namespace, maxWaitTimeInMs: 100 });
  await consumer.connect();
  await consumer.subscribe({ topic: namespace, fromBeginning: true });
  const commits = new Commits(consumer);
  const joined = new Promise((resolve) => consumer.on(consumer.events.GROUP_JOIN, resolve));
  await consumer.run({
    autoCommit: false,
    partitionsConsumedConcurrently: PARTITIONS,
    eachBatch: async (batch) => {
      await handleBatch(batch, Math.ceil(handlers / PARTITIONS), handle);
      commits.handled(namespace, batch.batch.partition, batch.batch.lastOffset());
      await batch.heartbeat();
    },
  });
  await joined;
  return async () => {
    await commits.end();
    await consumer.disconnect();
  };
}

async function handleBatch({ batch }: EachBatchPayload, atOnce: number, handle: () => Promise<void>): Promise<void> {
  let next = 0;
  const work = async () => {
    for (let message = batch.messages[next++]; message !== undefined; message = batch.messages[next++]) {
      JSON.parse(message.value?.toString() ?? "null");
      await handle();
    }
  };
  await Promise.all(Array.from({ length: atOnce }, work));
}
