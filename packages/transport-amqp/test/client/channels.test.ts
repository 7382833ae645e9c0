import { EventEmitter } from "node:events";
import { expect, test } from "vitest";
import { Channels } from "../../src/client/channels.ts";
import type { ReconnectingConnection } from "../../src/client/reconnecting-connection.ts";

test("H9 however many queues are looked at, few channels are open at once: a connection has 2,047", async () => {
  let open = 0;
  let mostOpen = 0;
  const channel = async () => {
    open += 1;
    mostOpen = Math.max(mostOpen, open);
    return Object.assign(new EventEmitter(), {
      checkQueue: async (queue: string) => {
        await new Promise((resolve) => setImmediate(resolve));
        if (queue === "gone") throw Object.assign(new Error("no such queue"), { code: 404 });
        if (queue === "odd") throw Object.assign(new Error("locked"), { code: 405 });
        return { messageCount: 7 };
      },
      close: async () => {
        open -= 1;
      },
    });
  };

  const channels = new Channels({ address: "amqp://h", connected: true, channel } as unknown as ReconnectingConnection);
  const sizes = Array.from({ length: 3_000 }, (_, n) => channels.queueSize(n === 5 ? "gone" : "q"));
  await expect(channels.queueSize("odd")).rejects.toMatchObject({ code: "topology-conflict" });
  expect(await Promise.all(sizes)).toEqual(sizes.map((_, n) => (n === 5 ? undefined : 7)));
  expect(mostOpen).toBeLessThanOrEqual(16);
  expect(open).toBe(0);
  // And so it goes on.
  expect(await channels.queueSize("q")).toBe(7);
});
