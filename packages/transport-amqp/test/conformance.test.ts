import { readFileSync } from "node:fs";
import { conformance, proxied } from "@papa-events/conformance";
import { type RabbitMqAccount, rabbitMqCluster, rabbitmq, testedVersions } from "@papa-events/conformance/brokers";
import { amqp } from "@papa-events/transport-amqp";
import { connect } from "amqplib";

/** The version on which apps and operators have no more rights than the guide gives them. */
const LEAST_RIGHTS = "4.3";
const GUIDE = new URL("../../../docs/brokers/rabbitmq.md", import.meta.url);

const runs = [
  ...testedVersions.rabbitmq.map((version) => ({ version, clustered: false })),
  ...testedVersions.rabbitMqClusterSuite.map((version) => ({ version, clustered: true })),
];

for (const { version, clustered } of runs) {
  const limited = version === LEAST_RIGHTS && !clustered;
  const as = (uri: string, user: string) =>
    limited && broker.broker().way !== "environment" ? uri.replace("guest:guest@", `${user}:secret@`) : uri;
  const broker = proxied({
    name: "rabbitmq",
    start: () =>
      clustered ? rabbitMqCluster(version, "at all addresses") : rabbitmq(version, limited ? accountsOfTheGuide() : []),
    transport: (uri, namespace, operator) => amqp(`${as(uri, operator ? "acts" : "handles")}?prefix=${namespace}`),
    // It saves the names of new quorum queues every half second; a younger one is empty after a kill.
    beforeKill: 1_000,
  });
  const { clean: closeProxies, faults } = broker;
  /** For clients that take one address. */
  const uri = () => (broker.broker().nodes[0] ?? broker.broker()).uri;

  conformance({
    ...broker,
    name: "rabbitmq",
    version: clustered ? `${version} cluster` : version,
    // Three nodes take their time to start again, one after the other.
    ...(clustered && { patience: 45_000 }),
    clean: async (namespace) => {
      await closeProxies(namespace);
    },
    faults: {
      ...faults,
      deletions: (namespace, useCase) => {
        const on = (act: (channel: Channel) => Promise<unknown>) => () => onChannel(uri(), act);
        const [exchange, queue] = [`${namespace}/domain_events`, `${namespace}/${useCase}`];
        return {
          "the binding": on((channel) => channel.unbindQueue(queue, exchange, "made.#")),
          "the queue": on((channel) => channel.deleteQueue(queue)),
          "the exchange": on((channel) => channel.deleteExchange(exchange)),
          "the exchange for dead letters": on((channel) => channel.deleteExchange(`${exchange}.dlq`)),
          "the queue of dead letters": on((channel) => channel.deleteQueue(`${queue}.dlq`)),
          "the registry": on((channel) => channel.deleteQueue(`${exchange}:registry`)),
        };
      },
      // A consumer is cancelled when its queue is deleted.
      cancel: (namespace, useCase) => onChannel(uri(), (channel) => channel.deleteQueue(`${namespace}/${useCase}`)),
    },
    outside: (namespace, { name, body, headers }) =>
      onChannel(uri(), async (channel) => {
        channel.publish(`${namespace}/domain_events`, name, Buffer.from(body), { headers });
        await channel.waitForConfirms();
      }),
    outsideHeaders: {
      amount: 7,
      flag: true,
      bytes: Buffer.from([0xff, 0x00]),
      twice: ["a", "b"],
      nested: { list: [1, "one"] },
    },
    conflict: async (namespace, useCase) => {
      const queue = `${namespace}/${useCase}`;
      await onChannel(uri(), (channel) => channel.assertQueue(queue, { durable: true }));
      return queue;
    },
    refused: [
      {
        problem: "wrong password",
        transport: () => amqp(broker.broker().uri.replace("guest:guest", "guest:not-the-secret")),
        code: "access-refused",
        secret: "not-the-secret",
      },
      {
        problem: "wrong port",
        transport: () => amqp("amqp://guest:not-the-secret@127.0.0.1:1"),
        code: "connection-failed",
        names: "127.0.0.1",
        secret: "not-the-secret",
      },
      {
        problem: "wrong virtual host",
        transport: () => amqp(`${broker.broker().uri}/no-such-host`),
        code: "access-refused",
        names: "no-such-host",
      },
    ],
    program: {
      module: import.meta.resolve("@papa-events/transport-amqp"),
      uri: (namespace) => `${as(broker.broker().uri, "handles")}?prefix=${namespace}`,
    },
  });
}

/** The accounts that the guide has, in every namespace. */
function accountsOfTheGuide(): readonly RabbitMqAccount[] {
  const lines = readFileSync(GUIDE, "utf8").matchAll(/^rabbitmqctl set_permissions (\w+) '(.*)' '(.*)' '(.*)'$/gm);
  return Array.from(lines, ([, user = "", ...rights]) => {
    const [configure = "", write = "", read = ""] = rights.map((right) => right.replaceAll("orders/", "[^/]+/"));
    return { user, password: "secret", configure, write, read };
  });
}

type Channel = Awaited<ReturnType<Awaited<ReturnType<typeof connect>>["createConfirmChannel"]>>;

async function onChannel(uri: string, act: (channel: Channel) => Promise<unknown>): Promise<void> {
  const model = await connect(uri);
  try {
    await act(await model.createConfirmChannel());
  } finally {
    await model.close();
  }
}
