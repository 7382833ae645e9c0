import { connect, createServer, type Socket } from "node:net";
import { brokerUrl } from "./broker.ts";
import { listen } from "./listen.ts";

/** The beginning of a connection, in which it says its name. */
const MAX_HELLO_BYTES = 4_096;

/** Encodes a method of AMQP 0-9-1. */
export function methodFrame(classId: number, methodId: number, args: Buffer, channel = 0): Buffer {
  const payload = Buffer.concat([Buffer.from([0, classId, 0, methodId]), args]);
  const head = Buffer.alloc(7);
  head.writeUInt8(1, 0);
  head.writeUInt16BE(channel, 1);
  head.writeUInt32BE(payload.length, 3);
  return Buffer.concat([head, payload, Buffer.from([0xce])]);
}

/**
 * Starts a proxy in front of the broker that can also send bytes of its own to all clients, and have the broker read nothing
 * more from connections whose name has a text in it.
 */
export async function talkingProxy(): Promise<{
  readonly port: number;
  readonly toClients: (bytes: Buffer) => void;
  readonly ignore: (name: string) => void;
}> {
  const clients = new Set<Socket>();
  let ignored: string | undefined;
  const { hostname, port } = new URL(brokerUrl());
  const server = createServer((client) => {
    const broker = connect(Number(port || 5672), hostname);
    clients.add(client);
    let hello = "";
    client.on("error", () => broker.destroy()).on("close", () => broker.destroy() && clients.delete(client));
    client.on("data", (bytes) => {
      if (hello.length < MAX_HELLO_BYTES) hello += bytes.toString("latin1");
      if (ignored === undefined || !hello.includes(ignored)) broker.write(bytes);
    });
    broker.on("error", () => client.destroy()).on("close", () => client.destroy());
    broker.pipe(client);
  });
  return {
    port: await listen(server),
    toClients: (bytes) => {
      for (const client of clients) client.write(bytes);
    },
    ignore: (name) => {
      ignored = name;
    },
  };
}

/** How RabbitMQ ends a connection for a queue: its process has died, or it cannot read what it has kept. */
export type Harm = "when consumed" | "when it delivers";

/** Starts a proxy in front of the broker that ends a connection as RabbitMQ does when somebody consumes a queue that is broken. */
export async function harmfulQueueProxy(
  harm: Harm,
  isHarmful: (queue: string) => boolean,
): Promise<{
  readonly port: number;
  /** How many connections it has had. */
  readonly connections: () => number;
  readonly cut: () => void;
}> {
  const clients = new Set<Socket>();
  let connections = 0;
  const server = createServer((client) => {
    const broker = connect(Number(new URL(brokerUrl()).port || 5672), new URL(brokerUrl()).hostname);
    clients.add(client);
    connections += 1;
    let read = Buffer.alloc(0);
    client.on("error", () => broker.destroy()).on("close", () => broker.destroy() && clients.delete(client));
    client.on("data", (bytes) => {
      read = Buffer.concat([read, bytes]);
      const { consumed, length } = consumedQueues(read);
      read = read.subarray(length);
      const broken = consumed.find(({ queue }) => isHarmful(queue));
      if (broken === undefined) broker.write(bytes);
      else if (harm === "when consumed")
        client.write(internalError(`failed consuming from quorum queue '${broken.queue}' in vhost '/': noproc`));
      else {
        client.write(methodFrame(60, 21, Buffer.from("\x03tag"), broken.channel));
        setTimeout(() => client.write(internalError("")), 50);
      }
    });
    broker.on("error", () => client.destroy()).on("close", () => client.destroy());
    broker.pipe(client);
  });
  return {
    port: await listen(server),
    connections: () => connections,
    cut: () => {
      for (const client of clients) client.destroy();
    },
  };
}

/** The queues that methods among these frames consume, and how many bytes the whole frames have. */
function consumedQueues(bytes: Buffer): { consumed: { queue: string; channel: number }[]; length: number } {
  let at = bytes.toString("latin1", 0, 4) === "AMQP" ? 8 : 0;
  const consumed: { queue: string; channel: number }[] = [];
  while (bytes.length >= at + 8 && bytes.length >= at + 8 + bytes.readUInt32BE(at + 3)) {
    const payload = bytes.subarray(at + 7, at + 7 + bytes.readUInt32BE(at + 3));
    if (bytes[at] === 1 && payload.readUInt32BE(0) === 0x3c_00_14)
      consumed.push({ queue: payload.toString("utf8", 7, 7 + (payload[6] ?? 0)), channel: bytes.readUInt16BE(at + 1) });
    at += 8 + payload.length;
  }
  return { consumed, length: at };
}

function internalError(reason: string): Buffer {
  const text = `INTERNAL_ERROR${reason && ` - ${reason}`}`;
  return methodFrame(
    10,
    50,
    Buffer.concat([Buffer.from([541 >> 8, 541 & 0xff, text.length]), Buffer.from(text), Buffer.alloc(4)]),
  );
}
