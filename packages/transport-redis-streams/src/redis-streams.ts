import { type RedisStreamsOptions, readOptions } from "./client/options.ts";
import { RedisStreamsTransport } from "./transport.ts";

/**
 * Makes a transport for Redis 7, Redis 8 or Valkey 8.
 *
 * @param target the server's URL, `redis(s)://user:password@host:port/database?prefix=namespace&lease=15s`, or options
 * @throws PapaError `invalid-option`; no message holds the password
 * @example const app = new PapaApp({ transport: redisStreams("redis://localhost:6379") });
 */
export function redisStreams(target: string | RedisStreamsOptions): RedisStreamsTransport {
  return new RedisStreamsTransport(readOptions(typeof target === "string" ? { uri: target } : target));
}

/** Makes a transport of a URL, for `transportFromUri`. @throws PapaError `invalid-option` */
export function fromUri(uri: string): RedisStreamsTransport {
  return redisStreams(uri);
}
