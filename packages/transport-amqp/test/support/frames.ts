import { connect, createServer, type Socket } from "node:net";
import { brokerUrl } from "./broker.ts";
import { listen } from "./listen.ts";

/** Encodes a method of AMQP 0-9-1 on channel 0. */
export function methodFrame(classId: number, methodId: number, args: Buffer): Buffer {
  const payload = Buffer.concat([Buffer.from([0, classId, 0, methodId]), args]);
  const head = Buffer.alloc(7);
  head.writeUInt8(1, 0);
  head.writeUInt32BE(payload.length, 3);
  return Buffer.concat([head, payload, Buffer.from([0xce])]);
}

/** Starts a proxy in front of the broker that can also send bytes of its own to all clients. */
export async function talkingProxy(): Promise<{ port: number; toClients: (bytes: Buffer) => void }> {
  const clients = new Set<Socket>();
  const { hostname, port } = new URL(brokerUrl());
  const server = createServer((client) => {
    const broker = connect(Number(port || 5672), hostname);
    clients.add(client);
    client.on("error", () => broker.destroy()).on("close", () => clients.delete(client));
    broker.on("error", () => client.destroy());
    client.pipe(broker).pipe(client);
  });
  return {
    port: await listen(server),
    toClients: (bytes) => {
      for (const client of clients) client.write(bytes);
    },
  };
}

/**
 * Starts a proxy in front of the broker that answers as a broker does when somebody consumes a queue whose process has died: it
 * ends the connection.
 */
export async function harmfulQueueProxy(isHarmful: (queue: string) => boolean): Promise<{
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
      const { queues, length } = consumedQueues(read);
      read = read.subarray(length);
      const queue = queues.find(isHarmful);
      if (queue === undefined) broker.write(bytes);
      else
        client.write(
          internalError(`INTERNAL_ERROR - failed consuming from quorum queue '${queue}' in vhost '/': noproc`),
        );
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
function consumedQueues(bytes: Buffer): { queues: string[]; length: number } {
  let at = bytes.toString("latin1", 0, 4) === "AMQP" ? 8 : 0;
  const queues: string[] = [];
  while (bytes.length >= at + 8 && bytes.length >= at + 8 + bytes.readUInt32BE(at + 3)) {
    const payload = bytes.subarray(at + 7, at + 7 + bytes.readUInt32BE(at + 3));
    if (bytes[at] === 1 && payload.readUInt32BE(0) === 0x3c_00_14)
      queues.push(payload.toString("utf8", 7, 7 + (payload[6] ?? 0)));
    at += 8 + payload.length;
  }
  return { queues, length: at };
}

function internalError(text: string): Buffer {
  return methodFrame(
    10,
    50,
    Buffer.concat([Buffer.from([541 >> 8, 541 & 0xff, text.length]), Buffer.from(text), Buffer.alloc(4)]),
  );
}
