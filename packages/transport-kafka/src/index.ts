export type { SaslOptions, TlsOptions } from "./client/options.ts";
export { fromUri, type KafkaTransportOptions as KafkaOptions, kafka } from "./kafka.ts";
export type { KafkaTransport } from "./transport.ts";
