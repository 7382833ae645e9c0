import { kafka, rabbitmq, redis } from "@papa-events/conformance/brokers";

/** The brokers that benchmarks run on, had as tests have them. */
const BROKERS = { rabbitmq: () => rabbitmq("4.0"), redis: () => redis("8.0"), kafka: () => kafka("4.1") };

export type BrokerKind = keyof typeof BROKERS;

/** Uses a new broker, so that nothing finds the queues of what was measured before. */
export async function withBroker<T>(kind: BrokerKind, use: (uri: string) => T): Promise<T> {
  const broker = await BROKERS[kind]();
  try {
    return use(broker.uri);
  } finally {
    await broker.stop();
  }
}
