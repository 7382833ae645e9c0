export { fromUri, kafka } from "./kafka.ts";
export type { KafkaOptions, SaslOptions, TlsOptions } from "./options.ts";
export type { KafkaTransport } from "./transport.ts";
