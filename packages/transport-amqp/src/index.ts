export { amqp, fromUri } from "./amqp.ts";
export type { AmqpOptions, TlsOptions } from "./client/options.ts";
export type { AmqpTransport } from "./transport.ts";
