import { conformance, proxied } from "@papa-events/conformance";
import { rabbitmq, testedVersions } from "@papa-events/conformance/brokers";
import { amqp } from "@papa-events/transport-amqp";
import { connect } from "amqplib";

for (const version of testedVersions.rabbitmq) {
  const broker = proxied({
    name: "rabbitmq",
    start: () => rabbitmq(version),
    transport: (uri, namespace) => amqp(`${uri}?prefix=${namespace}`),
    // It saves the names of new quorum queues every half second; a younger one is empty after a kill.
    beforeKill: 1_000,
  });
  const { clean: closeProxies, faults } = broker;

  conformance({
    ...broker,
    name: "rabbitmq",
    version,
    clean: async (namespace) => {
      await closeProxies(namespace);
    },
    faults: {
      ...faults,
      deletions: (namespace, useCase) => {
        const on = (act: (channel: Channel) => Promise<unknown>) => () => onChannel(broker.broker().uri, act);
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
      cancel: (namespace, useCase) =>
        onChannel(broker.broker().uri, (channel) => channel.deleteQueue(`${namespace}/${useCase}`)),
    },
    outside: (namespace, { name, body, headers }) =>
      onChannel(broker.broker().uri, async (channel) => {
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
      await onChannel(broker.broker().uri, (channel) => channel.assertQueue(queue, { durable: true }));
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
      uri: (namespace) => `${broker.broker().uri}?prefix=${namespace}`,
    },
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
