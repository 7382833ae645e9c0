import { type ConsumeMessage, connect } from "amqplib";
import type { BrokerContender, ClientOptions } from "../broker-client.ts";
import { makePayload } from "../payload.ts";

const WINDOW = 1_000;
const PREFETCH = 500;

/** What a careful team writes by hand: two connections, confirms in a window, one acknowledgement per turn of the loop. */
export function amqplib(name: string, propertiesOf: (index: number) => object): BrokerContender {
  return {
    name,
    lacks: "no retries, dead letters, reconnecting, validation",
    connect: (options) => client(options, propertiesOf),
  };
}

/** The envelope that the library sends, so that both move the same bytes. */
export function sameEnvelope(index: number): object {
  const id = `01a2085b-9838-77a9-b8ba-${String(index).padStart(12, "0")}`;
  const now = new Date();
  return {
    headers: {
      ce_specversion: "1.0",
      ce_id: id,
      ce_type: "user.created",
      ce_source: "papa-events",
      ce_time: now.toISOString(),
      "content-type": "application/json",
    },
    messageId: id,
    type: "user.created",
    appId: "papa-events",
    timestamp: Math.floor(now.getTime() / 1_000),
  };
}

/** As little as at-least-once handlers can do with. */
export function onlyAnId(index: number): object {
  return { messageId: `01a2085b-9838-77a9-b8ba-${String(index).padStart(12, "0")}` };
}

async function client({ uri, namespace, handlers, handle }: ClientOptions, propertiesOf: (index: number) => object) {
  const [publishing, consuming] = [await connect(uri, { noDelay: true }), await connect(uri, { noDelay: true })];
  const publisher = await publishing.createConfirmChannel();
  const channel = await consuming.createChannel();
  await channel.assertExchange(namespace, "topic", { durable: true });
  await channel.assertQueue(namespace, { durable: true, arguments: { "x-queue-type": "quorum" } });
  await channel.bindQueue(namespace, namespace, "user.*");
  if (handle !== undefined) {
    await channel.prefetch(Math.max(PREFETCH, handlers * 2));
    const work = new Work(handlers, handle, (upTo) => channel.ack(upTo, true));
    await channel.consume(namespace, (message) => message !== null && work.take(message));
  }
  return {
    publish: (count: number) =>
      new Promise<void>((resolve, reject) => {
        let [sent, confirmed] = [0, 0];
        const onConfirm = (error: unknown) => {
          if (error) return reject(error);
          confirmed += 1;
          if (confirmed === count) resolve();
          else fill();
        };
        const fill = () => {
          while (sent < count && sent - confirmed < WINDOW) {
            sent += 1;
            const body = Buffer.from(JSON.stringify(makePayload(sent)));
            const properties = { ...propertiesOf(sent), persistent: true, contentType: "application/json" };
            publisher.publish(namespace, "user.created", body, properties, onConfirm);
          }
        };
        fill();
      }),
    close: async () => {
      await publishing.close();
      await consuming.close();
    },
  };
}

/** At most so many handlers at once, and one acknowledgement per turn up to the last message below which all are handled. */
class Work {
  readonly #handlers: number;
  readonly #handle: () => Promise<void>;
  readonly #ack: (upTo: ConsumeMessage) => void;
  readonly #waiting: ConsumeMessage[] = [];
  readonly #done = new Map<number, ConsumeMessage>();
  #running = 0;
  #next = 1;
  #planned = false;

  constructor(handlers: number, handle: () => Promise<void>, ack: (upTo: ConsumeMessage) => void) {
    this.#handlers = handlers;
    this.#handle = handle;
    this.#ack = ack;
  }

  take(message: ConsumeMessage): void {
    if (this.#running < this.#handlers) void this.#run(message);
    else this.#waiting.push(message);
  }

  async #run(first: ConsumeMessage): Promise<void> {
    this.#running += 1;
    for (let message: ConsumeMessage | undefined = first; message !== undefined; message = this.#waiting.shift()) {
      JSON.parse(message.content.toString());
      await this.#handle();
      this.#done.set(message.fields.deliveryTag, message);
      if (this.#planned) continue;
      this.#planned = true;
      setImmediate(() => this.#acknowledge());
    }
    this.#running -= 1;
  }

  #acknowledge(): void {
    this.#planned = false;
    let last: ConsumeMessage | undefined;
    for (let done = this.#done.get(this.#next); done !== undefined; done = this.#done.get(this.#next)) {
      this.#done.delete(this.#next);
      this.#next += 1;
      last = done;
    }
    if (last !== undefined) this.#ack(last);
  }
}
