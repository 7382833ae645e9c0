import {
  assertKnownOptions,
  type Clock,
  type EncodedEvent,
  invalidOption,
  systemClock,
} from "@papa-events/core/transport";
import { Broker } from "./broker.ts";
import { MemoryTransport } from "./transport.ts";

/** How a broker in memory behaves. */
export interface MemoryOptions {
  /** Where it takes time from; a `virtualClock()` lets tests move time instead of waiting. The machine's unless set. */
  readonly clock?: Clock | undefined;
  /** Which handled events are delivered once more, to test that handlers bear duplicates; none unless set. */
  readonly duplicate?: ((event: EncodedEvent) => boolean) | undefined;
}

/**
 * A broker inside the process. The returned object **is** the broker: apps meet by sharing it. Queues, waiting
 * retries and dead letters outlive the apps and end with the process.
 *
 * @example
 * const clock = virtualClock();
 * const app = new PapaApp({ transport: memory({ clock }) });
 */
export function memory(options: MemoryOptions = {}): MemoryTransport {
  assertKnownOptions(options, ["clock", "duplicate"], "memory");
  return new MemoryTransport(new Broker(options.clock ?? systemClock, options.duplicate));
}

/** The brokers that URLs name. */
const named = new Map<string, MemoryTransport>();

/**
 * `memory:` is a new broker, `memory:orders` the process's one of that name, `?prefix=a` a namespace in it.
 *
 * @throws PapaError `invalid-option`
 */
export function fromUri(uri: string): MemoryTransport {
  const { name, prefix } = parse(uri);
  if (name === "") return memory();
  const key = `${name}?${prefix}`;
  let transport = named.get(key);
  if (transport === undefined) {
    transport = memory();
    named.set(key, transport);
  }
  return transport;
}

const URI = /^memory:(?:\/\/)?([A-Za-z0-9_.-]*)(?:\?prefix=((?!.*--)[a-z0-9-]{1,30}))?$/;

function parse(uri: string): { readonly name: string; readonly prefix: string } {
  const found = URI.exec(uri);
  if (found !== null) return { name: found[1] ?? "", prefix: found[2] ?? "" };
  throw invalidOption(
    "transport URL",
    `${JSON.stringify(withoutSecrets(uri))} is not of the form memory:, memory:name or memory:name?prefix=namespace`,
  );
}

/** A broker's URL of which only the scheme was changed may hold a password. */
function withoutSecrets(uri: string): string {
  return uri.replace(/\/\/[^/]*@/, "//***@");
}
