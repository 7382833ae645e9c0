export { amqp, fromUri } from "./amqp.ts";
export type { AmqpOptions, TlsOptions } from "./options.ts";
export type { AmqpTransport } from "./transport.ts";
