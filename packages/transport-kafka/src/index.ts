export type { KafkaOptions, SaslOptions, TlsOptions } from "./client/options.ts";
export { fromUri, kafka } from "./kafka.ts";
export type { KafkaTransport } from "./transport.ts";
