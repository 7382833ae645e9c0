import { type AmqpOptions, readOptions, readUri } from "./client/options.ts";
import { AmqpTransport } from "./transport.ts";

/**
 * Makes a transport for RabbitMQ 3.10 to 4.x, whose queues services of the Python original can share.
 *
 * @param target the broker's URL, `amqp(s)://user:password@host:port,host:port/vhost?prefix=namespace&heartbeat=seconds`, or options
 * @throws PapaError `invalid-option`; no message holds the password
 * @example const app = new PapaApp({ transport: amqp("amqp://guest:guest@localhost") });
 */
export function amqp(target: string | AmqpOptions): AmqpTransport {
  return new AmqpTransport(typeof target === "string" ? readUri(target) : readOptions(target));
}

/** Makes a transport of a URL, for `transportFromUri`. @throws PapaError `invalid-option` */
export function fromUri(uri: string): AmqpTransport {
  return amqp(uri);
}
