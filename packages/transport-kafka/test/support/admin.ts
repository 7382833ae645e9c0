import { type Admin, type GroupDescription, Kafka, logLevel, type Message } from "kafkajs";
import type { Engine } from "../../src/client/engine.ts";
import { KafkajsClient } from "../../src/client/kafkajs-client.ts";
import { kafkajsEngine } from "../../src/client/kafkajs-engine.ts";
import type { SaslOptions } from "../../src/client/options.ts";

/** Creates a topic as an operator would. */
export function makeTopic(uri: string, topic: string, configs: Readonly<Record<string, string>>): Promise<void> {
  return withAdmin(uri, async (admin) => {
    const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }));
    await admin.createTopics({ waitForLeaders: false, topics: [{ topic, numPartitions: 1, configEntries }] });
  });
}

/** Publishes as a program without this library does. */
export async function produceFrom(uri: string, topic: string, message: Message): Promise<void> {
  const producer = clientOf(uri).producer({ allowAutoTopicCreation: false });
  await producer.connect();
  try {
    const stored = await producer.send({ topic, messages: [message] });
    // kafkajs resolves, and stores nothing, where it does not know the partition yet.
    if (stored.length === 0) throw new Error(`${topic} [${message.partition}] is not known yet`);
  } finally {
    await producer.disconnect();
  }
}

/** Removes all members from a consumer group. */
export async function removeMembers(uri: string, group: string): Promise<void> {
  const client = clientTo(uri);
  try {
    const node = await client.coordinator(group);
    for (const { memberId } of await membersOf(uri, group)) await client.leave(node, group, memberId);
  } finally {
    client.close();
  }
}

/** Makes a client like the transport's own. */
export function clientTo(
  uri: string,
  sasl: SaslOptions | undefined = loginOf(uri),
  engine: Engine = kafkajsEngine,
): KafkajsClient {
  const { hostname: host, port } = addressOf(uri);
  return new KafkajsClient({
    engine,
    brokers: [{ host, port: Number(port) }],
    clientId: "operator",
    sasl,
    requestTimeout: 10_000,
    connectTimeout: 5_000,
    route: (at, on) => ({ host: at, port: on }),
  });
}

export async function membersOf(uri: string, group: string): Promise<readonly { memberId: string }[]> {
  return (await groupOf(uri, group))?.members ?? [];
}

export function groupOf(uri: string, group: string): Promise<GroupDescription | undefined> {
  return withAdmin(uri, async (admin) => (await admin.describeGroups([group])).groups[0]);
}

export async function withAdmin<T>(uri: string, act: (admin: Admin) => Promise<T>): Promise<T> {
  const admin = clientOf(uri).admin();
  await admin.connect();
  try {
    return await act(admin);
  } finally {
    await admin.disconnect();
  }
}

function clientOf(uri: string): Kafka {
  const sasl = loginOf(uri);
  return new Kafka({ brokers: [addressOf(uri).host], logLevel: logLevel.NOTHING, ...(sasl && { sasl }) });
}

function loginOf(uri: string) {
  const { username, password } = addressOf(uri);
  return username === "" ? undefined : { mechanism: "plain" as const, username, password };
}

function addressOf(uri: string): URL {
  return new URL(uri.replace("kafka:", "http:"));
}
