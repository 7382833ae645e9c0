import type { ConnectionOptions as TlsOptions } from "node:tls";
import { invalidOption } from "@papa-events/core/transport";
import type { RedisOptions } from "ioredis";

/** The query parameters of a URL. Any other is an error, since it would have no effect. */
const PARAMETERS = ["prefix", "lease", "durability", "shards", "connectTimeout"] as const;
export type Parameter = (typeof PARAMETERS)[number];

/** Parses a URL. No message shows it: it may hold a password even where it cannot be parsed. */
export function parseUrl(uri: unknown): URL {
  const url = typeof uri === "string" && URL.canParse(uri) ? new URL(uri) : undefined;
  if (url === undefined || (url.protocol !== "redis:" && url.protocol !== "rediss:") || url.hostname === "") {
    const hint = "a special character in the user or password must be percent-encoded";
    throw invalidOption("redis URL", `it is not of the form redis://user:password@host:port/database; ${hint}`);
  }
  for (const name of url.searchParams.keys()) {
    if (!(PARAMETERS as readonly string[]).includes(name))
      throw invalidOption("redis URL", `unknown parameter "${name}"; the known ones are ${PARAMETERS.join(", ")}`);
  }
  return url;
}

/** Translates a URL to options of ioredis. @throws PapaError `invalid-option` */
export function toRedisOptions(url: URL, tls: TlsOptions | undefined): RedisOptions {
  const secure = url.protocol === "rediss:";
  if (tls !== undefined && !secure) throw invalidOption("redisStreams: tls", "it needs a URL that begins rediss:");
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const database = url.pathname.length > 1 ? url.pathname.slice(1) : "0";
  if (!/^\d{1,6}$/.test(database))
    throw invalidOption("redis URL", `the database after the host is not a number: ${JSON.stringify(database)}`);
  return {
    host,
    port: url.port === "" ? 6_379 : Number(url.port),
    db: Number(database),
    ...(url.username === "" ? {} : { username: decode(url.username) }),
    ...(url.password === "" ? {} : { password: decode(url.password) }),
    ...(secure ? { tls: { ...tls } } : {}),
  };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidOption("redis URL", 'a "%" in it is not followed by two hex digits; write "%25" for the sign itself');
  }
}
