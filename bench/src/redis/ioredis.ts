import { randomUUID } from "node:crypto";
import { Redis } from "ioredis";
import type { BrokerContender, ClientOptions } from "../broker-client.ts";
import { makePayload } from "../payload.ts";

const GROUP = "bench";
const BATCH = 64;
/** How many batches are under way at once. */
const WINDOW = 8;
const READ = 500;

const ADD = `for _, event in ipairs(ARGV) do for _, key in ipairs(KEYS) do redis.call('XADD', key, '*', 'e', event) end end`;
const FINISH = `redis.call('XACK', KEYS[1], '${GROUP}', unpack(ARGV)) redis.call('XDEL', KEYS[1], unpack(ARGV))`;

/** Commands that ioredis makes of the scripts. */
interface Client extends Redis {
  addEvents(streams: number, ...streamsAndEvents: string[]): Promise<unknown>;
  finish(stream: string, ...entries: string[]): Promise<unknown>;
}

/**
 * What a careful team writes by hand: scripts of 64 events, reads of 500 on a connection of their own, finished entries
 * acknowledged and deleted once per turn of the loop.
 */
export const ioredis: BrokerContender = {
  name: "ioredis, tuned",
  lacks: "one queue, no routing, retries, dead letters, taking over from the dead, validation",
  fansOut: true,
  connect: async ({ uri, namespace, handlers, queues = 1, handle }: ClientOptions) => {
    const others = Array.from({ length: queues - 1 }, (_, index) => `${namespace}-${index}`);
    const client = new Redis(uri) as Client;
    client.defineCommand("addEvents", { lua: ADD });
    client.defineCommand("finish", { numberOfKeys: 1, lua: FINISH });
    await client.xgroup("CREATE", namespace, GROUP, "0", "MKSTREAM");
    const reader = new Redis(uri);
    let open = true;
    const consuming = handle === undefined ? undefined : consume(handle);
    return { publish, close };

    async function publish(count: number): Promise<void> {
      let sent = 0;
      const batches = async () => {
        while (sent < count) {
          const from = sent;
          sent = Math.min(count, sent + BATCH);
          await client.addEvents(
            queues,
            namespace,
            ...others,
            ...Array.from({ length: sent - from }, (_, index) => envelope(from + index)),
          );
        }
      };
      await Promise.all(Array.from({ length: WINDOW }, batches));
    }

    async function close(): Promise<void> {
      open = false;
      reader.disconnect();
      await consuming;
      client.disconnect();
    }

    async function consume(handler: () => Promise<void>): Promise<void> {
      const waiting: (readonly [id: string, event: string])[] = [];
      let running = 0;
      let finished: string[] = [];
      let more = () => {};
      const work = async () => {
        running += 1;
        for (let entry = waiting.shift(); entry !== undefined; entry = waiting.shift()) {
          const [id, event] = entry;
          JSON.parse(event);
          await handler();
          if (finished.push(id) === 1) setImmediate(acknowledge);
          if (waiting.length < READ) more();
        }
        running -= 1;
      };
      const acknowledge = () => {
        for (let at = 0; at < finished.length; at += READ) {
          client.finish(namespace, ...finished.slice(at, at + READ)).catch(() => {});
        }
        finished = [];
      };
      while (open) {
        const read = reader.xreadgroup("GROUP", GROUP, "me", "COUNT", READ, "BLOCK", 1_000, "STREAMS", namespace, ">");
        const reply = (await read.catch(() => null)) as [string, [string, string[]][]][] | null;
        for (const [id, fields] of reply?.[0]?.[1] ?? []) waiting.push([id, fields[1] ?? "null"]);
        while (running < handlers && waiting.length > 0) void work();
        if (waiting.length >= READ) await new Promise<void>((resolve) => (more = resolve));
      }
    }
  },
};

function envelope(index: number): string {
  const now = new Date().toISOString();
  return JSON.stringify({
    id: randomUUID(),
    type: "user.created",
    source: "bench",
    time: now,
    data: makePayload(index),
  });
}
