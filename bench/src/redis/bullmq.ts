import { Queue, Worker } from "bullmq";
import { type BrokerContender, inLoops } from "../broker-client.ts";
import { makePayload } from "../payload.ts";

export const bullmq: BrokerContender = {
  name: "BullMQ",
  lacks: "one queue, no routing",
  share: 0.2,
  connect: async ({ uri, namespace, handlers, handle }) => {
    const connection = { url: uri, maxRetriesPerRequest: null };
    const queue = new Queue(namespace, { connection, defaultJobOptions: { removeOnComplete: true } });
    await queue.waitUntilReady();
    const worker = handle && new Worker(namespace, handle, { connection, concurrency: handlers });
    await worker?.waitUntilReady();
    return {
      publish: (count) => inLoops(count, 1_000, (index) => queue.add("user.created", makePayload(index))),
      close: async () => {
        await worker?.close(true);
        await queue.close();
      },
    };
  },
};
