import { PapaError } from "@papa-events/core";
import { PatternTrie } from "@papa-events/core/transport";
import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import { loadBindings } from "../scripts/load-bindings.ts";
import type { Keys } from "../wire/keys.ts";

/** How long publishing waits, once the server has lost what was declared, for the apps to declare it again. */
const MAX_WAIT_FOR_DECLARATIONS_MS = 5_000;
/** How many names have their route cached. */
const MAX_CACHED_NAMES = 10_000;

/** Where the events of a name go. Names that go to the same queues share one object. */
export interface Route {
  /** The queues' keys. */
  readonly queues: readonly string[];
}

/** All bindings of the namespace at one version, and the routes that follow from them. */
export class Bindings {
  readonly version: string;
  readonly #trie = new PatternTrie<string>();
  readonly #byName = new Map<string, Route>();
  readonly #byQueues = new Map<string, Route>();

  /** @param bound entries of the form `<use case> <pattern>` */
  constructor(version: string, bound: readonly string[], keys: Keys) {
    this.version = version;
    for (const each of bound) {
      const space = each.indexOf(" ");
      this.#trie.add(each.slice(space + 1), keys.queue(each.slice(0, space)));
    }
  }

  route(name: string): Route {
    const cached = this.#byName.get(name);
    if (cached !== undefined) return cached;
    const queues = this.#trie.match(name).sort();
    const id = queues.join(" ");
    let route = this.#byQueues.get(id);
    if (route === undefined) this.#byQueues.set(id, (route = { queues }));
    if (this.#byName.size >= MAX_CACHED_NAMES) this.#byName.clear();
    this.#byName.set(name, route);
    return route;
  }
}

/** Caches the bindings in this process. Each script that uses them checks on the server whether they are still current. */
export class BindingCache {
  readonly #connection: ReconnectingConnection;
  readonly #keys: Keys;
  #bindings: Bindings | undefined;
  #loading: Promise<Bindings> | undefined;
  readonly #redeclare: () => Promise<void>;
  /** Whether the server ever had any. */
  #known = false;
  /** When the server was first seen without them after that, by the monotonic clock. */
  #lostSince: number | undefined;

  /** @param redeclare declares again what this app has declared, if anything */
  constructor(connection: ReconnectingConnection, keys: Keys, redeclare: () => Promise<void>) {
    this.#connection = connection;
    this.#keys = keys;
    this.#redeclare = redeclare;
  }

  /** The cached bindings, if there are any. */
  get cached(): Bindings | undefined {
    return this.#bindings;
  }

  /** Loads the bindings unless they are cached. */
  async get(): Promise<Bindings> {
    if (this.#bindings !== undefined) return this.#bindings;
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  /** Forgets bindings that the server has changed since. */
  drop(outdated: Bindings): void {
    if (this.#bindings === outdated) this.#bindings = undefined;
  }

  async #load(): Promise<Bindings> {
    let [version = "", ...bound] = await this.#read();
    if (version === "") {
      // If all was deleted, what is published now would be confirmed and go nowhere (L8).
      await this.#redeclare();
      [version = "", ...bound] = await this.#read();
    }
    if (version === "" && this.#known) {
      this.#lostSince ??= performance.now();
      if (performance.now() - this.#lostSince < MAX_WAIT_FOR_DECLARATIONS_MS) throw this.#lostError();
    } else {
      this.#known ||= version !== "";
      this.#lostSince = undefined;
    }
    this.#bindings = new Bindings(version, bound, this.#keys);
    return this.#bindings;
  }

  async #read(): Promise<string[]> {
    return (await this.#connection.run(loadBindings, [this.#keys.version, this.#keys.bindings], [])) as string[];
  }

  #lostError(): PapaError {
    const { address } = this.#connection;
    const message = `The server at ${address} has lost what was declared; apps are given time to declare it again.`;
    return new PapaError("connection-failed", message, { transport: "redis-streams", address }, { retryable: true });
  }
}
