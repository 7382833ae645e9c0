import { type Channel, connect } from "amqplib";
import type { Broker } from "../../brokers/index.ts";
import { EVENTS, USE_CASES } from "../workers/order.ts";
import { inside } from "./inside.ts";
import type { Operator } from "./target.ts";

const CTL = "/usr/lib/rabbitmq/bin/rabbitmqctl";
/** The broker's default, as a share of the machine's memory. */
const USUAL = "0.6";

export const rabbitMqOperator: Operator = {
  full: "the memory alarm is on",
  fill: async (broker) => {
    const node = broker.nodes[0] ?? broker;
    await inside(node, CTL, ["set_vm_memory_high_watermark", "0.00001"]);
    return () => inside(node, CTL, ["set_vm_memory_high_watermark", USUAL]);
  },
  objects: (broker, namespace) => {
    const on = (act: (channel: Channel) => Promise<unknown>) => () => withChannel(broker, act);
    const exchange = `${namespace}/domain_events`;
    const queue = (useCase: string) => `${namespace}/${useCase}`;
    const { handle, collect } = USE_CASES;
    return {
      "a queue": on((channel) => channel.deleteQueue(queue(handle))),
      "a binding": on((channel) => channel.unbindQueue(queue(handle), exchange, EVENTS.made)),
      "the exchange": on((channel) => channel.deleteExchange(exchange)),
      "the exchange for dead letters": on((channel) => channel.deleteExchange(`${exchange}.dlq`)),
      "a queue of dead letters": on((channel) => channel.deleteQueue(`${queue(handle)}.dlq`)),
      "the registry": on((channel) => channel.deleteQueue(`${exchange}:registry`)),
      "another queue": on((channel) => channel.deleteQueue(queue(collect))),
    };
  },
  // No client can tell; what has a majority loses nothing.
  isWhole: async () => true,
};

async function withChannel(broker: Broker, act: (channel: Channel) => Promise<unknown>): Promise<void> {
  const model = await connect(broker.uri);
  model.on("error", () => {});
  try {
    const channel = await model.createChannel();
    channel.on("error", () => {});
    await act(channel);
  } finally {
    await model.close();
  }
}
