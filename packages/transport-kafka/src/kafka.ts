import { type KafkaOptions, readOptions, readUri } from "./client/options.ts";
import { KafkaTransport } from "./transport.ts";

/**
 * Events on Kafka 2.4 and newer: topics by the first word of the event name, retries, dead letters and wildcards like on
 * every other broker.
 *
 * @param target the cluster's URL, `kafka(s)://user:password@host:port,host:port?prefix=namespace`, or options
 * @throws PapaError `invalid-option`; no message holds the password
 * @example const app = new PapaApp({ transport: kafka("kafka://localhost:9092") });
 */
export function kafka(target: string | KafkaOptions): KafkaTransport {
  return new KafkaTransport(typeof target === "string" ? readUri(target) : readOptions(target));
}

/** What `transportFromUri` calls. @throws PapaError `invalid-option` */
export function fromUri(uri: string): KafkaTransport {
  return kafka(uri);
}
