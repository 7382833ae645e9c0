import { type KafkaOptions, readOptions } from "./client/options.ts";
import { readExistingTopics } from "./declarations/existing-topics-option.ts";
import { KafkaTransport } from "./transport.ts";

/** How to reach a cluster, which topics to create there, and which of others to use. */
export interface KafkaTransportOptions extends KafkaOptions {
  /**
   * Topics that others own and named, each with the name or pattern of the events in it: `{ "shop.orders.v1": "order.*" }`.
   * They are read and written, never created, changed or deleted; all apps of a namespace get the same.
   */
  readonly topics?: Readonly<Record<string, string>> | undefined;
}

/**
 * Makes a transport on Kafka 2.3 or newer. Events go to topics by the first word of their names; retries, dead letters and
 * wildcards work as on every other broker.
 *
 * @param target the cluster's URL, `kafka(s)://user:password@host:port,host:port?prefix=namespace`, or options
 * @throws PapaError `invalid-option`; no message holds the password
 * @example const app = new PapaApp({ transport: kafka("kafka://localhost:9092") });
 */
export function kafka(target: string | KafkaTransportOptions): KafkaTransport {
  if (typeof target !== "object" || target === null) return new KafkaTransport(readOptions(target), new Map());
  const { topics, ...options } = target;
  const read = readOptions(options);
  return new KafkaTransport(read, readExistingTopics(topics, read.prefix));
}

/** Makes a transport for `transportFromUri`. @throws PapaError `invalid-option` */
export function fromUri(uri: string): KafkaTransport {
  return kafka(uri);
}
