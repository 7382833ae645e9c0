import { type KafkaOptions, readOptions } from "./client/options.ts";
import { KafkaTransport } from "./transport.ts";

/**
 * Makes a transport on Kafka 2.3 or newer. Events go to topics by the first word of their names; retries, dead letters and
 * wildcards work as on every other broker.
 *
 * @param target the cluster's URL, `kafka(s)://user:password@host:port,host:port?prefix=namespace`, or options
 * @throws PapaError `invalid-option`; no message holds the password
 * @example const app = new PapaApp({ transport: kafka("kafka://localhost:9092") });
 */
export function kafka(target: string | KafkaOptions): KafkaTransport {
  return new KafkaTransport(readOptions(target));
}

/** Makes a transport for `transportFromUri`. @throws PapaError `invalid-option` */
export function fromUri(uri: string): KafkaTransport {
  return kafka(uri);
}
