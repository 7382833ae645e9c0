import { PapaError } from "@papa-events/core";
import { PatternTrie } from "@papa-events/core/transport";
import type { ReconnectingConnection } from "../client/reconnecting-connection.ts";
import { VERSION_OF_TAIL } from "../scripts/fragments/version.ts";
import { loadBindings } from "../scripts/load-bindings.ts";
import type { Keys, TailKeys } from "../wire/keys.ts";

/** How long publishing waits, once the server has lost what was declared, for the apps to declare it again. */
const MAX_WAIT_FOR_DECLARATIONS_MS = 5_000;
/** How many names have their route cached. */
const MAX_CACHED_NAMES = 10_000;

/** How long bindings with tails are kept, so that one whose reader was killed soon costs nothing more. */
const MAX_AGE_WITH_TAILS_MS = 10_000;

/** Where the events of a name go. Names that go to the same queues and tails share one object. */
export interface Route {
  /** The queues' keys. */
  readonly queues: readonly string[];
  /** Who gets a copy. */
  readonly tails: readonly TailKeys[];
}

const NO_TAILS: readonly TailKeys[] = [];

/** All bindings of the namespace at one version, and the routes that follow from them. */
export class Bindings {
  readonly version: string;
  readonly #trie = new PatternTrie<string>();
  /** Only where there are any. */
  readonly #tails: PatternTrie<string> | undefined;
  readonly #keys: Keys;
  /** Until when they may be used without a look, by the monotonic clock. */
  readonly #expires: number;
  readonly #byName = new Map<string, Route>();
  readonly #byQueues = new Map<string, Route>();

  /**
   * @param bound entries of the form `<use case> <pattern>`
   * @param tails ids, each followed by `<when it ends> <pattern> <pattern> ...`
   */
  constructor(version: string, bound: readonly string[], tails: readonly string[], keys: Keys) {
    this.version = version;
    this.#keys = keys;
    this.#tails = tails.length === 0 ? undefined : new PatternTrie();
    this.#expires = tails.length === 0 ? Number.POSITIVE_INFINITY : performance.now() + MAX_AGE_WITH_TAILS_MS;
    for (let at = 0; at + 1 < tails.length; at += 2) {
      const [id = "", text = ""] = tails.slice(at, at + 2);
      for (const pattern of text.split(" ").slice(1)) this.#tails?.add(pattern, id);
    }
    for (const each of bound) {
      const space = each.indexOf(" ");
      this.#trie.add(each.slice(space + 1), keys.queue(each.slice(0, space)));
    }
  }

  get expired(): boolean {
    return this.#expires !== Number.POSITIVE_INFINITY && performance.now() > this.#expires;
  }

  route(name: string): Route {
    const cached = this.#byName.get(name);
    if (cached !== undefined) return cached;
    const queues = this.#trie.match(name).sort();
    const tails =
      this.#tails
        ?.match(name)
        .sort()
        .map((tail) => this.#keys.forTail(tail)) ?? NO_TAILS;
    const id = [...queues, ...tails.map(({ stream }) => stream)].join(" ");
    let route = this.#byQueues.get(id);
    if (route === undefined) this.#byQueues.set(id, (route = { queues, tails }));
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
    if (this.#bindings?.expired === true) this.#bindings = undefined;
    return this.#bindings;
  }

  /** Loads the bindings unless they are cached. */
  async get(): Promise<Bindings> {
    const { cached } = this;
    if (cached !== undefined) return cached;
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
    let reply = await this.#read();
    if (isOfNothing(reply)) {
      // If all was deleted, what is published now would be confirmed and go nowhere (L8).
      await this.#redeclare();
      reply = await this.#read();
    }
    if (isOfNothing(reply) && this.#known) {
      this.#lostSince ??= performance.now();
      if (performance.now() - this.#lostSince < MAX_WAIT_FOR_DECLARATIONS_MS) throw this.#lostError();
    } else {
      this.#known ||= !isOfNothing(reply);
      this.#lostSince = undefined;
    }
    this.#bindings = new Bindings(...reply, this.#keys);
    return this.#bindings;
  }

  async #read(): Promise<Reply> {
    const { version, bindings, tails } = this.#keys;
    return (await this.#connection.run(loadBindings, [version, bindings, tails], [])) as Reply;
  }

  #lostError(): PapaError {
    const { address } = this.#connection;
    const message = `The server at ${address} has lost what was declared; apps are given time to declare it again.`;
    return new PapaError("connection-failed", message, { transport: "redis-streams", address }, { retryable: true });
  }
}

/** As the script says. */
type Reply = readonly [version: string, bound: readonly string[], tails: readonly string[]];

/** Whether nothing was ever declared, or all of it was deleted. */
function isOfNothing([version]: Reply): boolean {
  return version === "" || version.startsWith(VERSION_OF_TAIL);
}
