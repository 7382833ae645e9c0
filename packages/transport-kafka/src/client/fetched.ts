import filterAborted from "kafkajs/src/consumer/filterAbortedMessages.js";
import type { FetchedRecord, FetchPartition, FetchResult } from "./client.ts";
import { KafkaError } from "./client.ts";
import { errorOfCode } from "./errors.ts";

interface RawRecord {
  readonly offset: string;
  readonly timestamp: string;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly isControlRecord?: boolean;
}

interface RawFetch {
  readonly errorCode?: number;
  readonly responses: readonly {
    topicName: string;
    partitions: readonly {
      partition: number;
      errorCode: number;
      highWatermark: string;
      abortedTransactions?: readonly unknown[] | null;
      messages: readonly RawRecord[];
    }[];
  }[];
}

/** Reads the answer to a fetch: only what was asked for, without what producers' transactions took back. */
export function readFetch(answer: RawFetch, asked: readonly FetchPartition[]): FetchResult[] {
  const whole = errorOfCode(answer.errorCode ?? 0);
  if (whole !== undefined) throw new KafkaError(whole.type, whole.message, whole.retriable);
  const from = new Map(asked.map(({ topic, partition, offset }) => [`${partition} ${topic}`, offset]));
  return answer.responses.flatMap(({ topicName: topic, partitions }) =>
    partitions.map(({ partition, errorCode, highWatermark, abortedTransactions, messages }) => {
      const offset = from.get(`${partition} ${topic}`) ?? 0;
      const { records, next } = readRecords(messages, offset, abortedTransactions ?? []);
      return { topic, partition, error: errorOfCode(errorCode), highWatermark: Number(highWatermark), records, next };
    }),
  );
}

function readRecords(
  messages: readonly RawRecord[],
  from: number,
  abortedTransactions: readonly unknown[],
): { records: FetchedRecord[]; next: number } {
  const last = messages.at(-1);
  if (last === undefined) return { records: [], next: from };
  const kept =
    abortedTransactions.length === 0 ? messages : filterAborted({ messages: [...messages], abortedTransactions });
  const records: FetchedRecord[] = [];
  for (const { offset: text, timestamp, key, value, headers, isControlRecord } of kept) {
    const offset = Number(text);
    // A broker sends whole batches, from before what was asked for.
    if (offset < from || isControlRecord === true) continue;
    records.push({ offset, time: Number(timestamp), key, value, headers });
  }
  // Compaction may have taken the end of a batch: what was asked for is not there, and the next one is further on.
  return { records, next: Math.max(Number(last.offset), from) + 1 };
}
