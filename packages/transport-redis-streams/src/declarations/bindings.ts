import { PatternTrie } from "@papa-events/core/transport";
import type { Link } from "../client/link.ts";
import { loadBindings } from "../scripts/bindings.ts";
import type { Keys } from "../wire/keys.ts";

/** How many names' answers are kept. */
const CACHE_LIMIT = 10_000;

/** Where the events of a name go: the same object for all names that go to the same queues. */
export interface Route {
  /** The queues' keys. */
  readonly queues: readonly string[];
}

/** All bindings of the namespace as of one version, and the routes that follow from them. */
export class Bindings {
  readonly version: string;
  readonly #trie = new PatternTrie<string>();
  readonly #byName = new Map<string, Route>();
  readonly #byQueues = new Map<string, Route>();

  /** @param bound `<use case> <pattern>` */
  constructor(version: string, bound: readonly string[], keys: Keys) {
    this.version = version;
    for (const each of bound) {
      const space = each.indexOf(" ");
      this.#trie.add(each.slice(space + 1), keys.queue(each.slice(0, space)));
    }
  }

  route(name: string): Route {
    const known = this.#byName.get(name);
    if (known !== undefined) return known;
    const queues = this.#trie.match(name).sort();
    const id = queues.join(" ");
    let route = this.#byQueues.get(id);
    if (route === undefined) this.#byQueues.set(id, (route = { queues }));
    if (this.#byName.size >= CACHE_LIMIT) this.#byName.clear();
    this.#byName.set(name, route);
    return route;
  }
}

/** The client's copy of the bindings. Whether it is still right is checked by each script that uses it. */
export class BindingCache {
  readonly #link: () => Link;
  readonly #keys: Keys;
  #bindings: Bindings | undefined;
  #loading: Promise<Bindings> | undefined;

  constructor(link: () => Link, keys: Keys) {
    this.#link = link;
    this.#keys = keys;
  }

  /** The copy, if there is one. */
  get known(): Bindings | undefined {
    return this.#bindings;
  }

  /** Loads it where there is none. */
  async get(): Promise<Bindings> {
    if (this.#bindings !== undefined) return this.#bindings;
    this.#loading ??= this.#load().finally(() => {
      this.#loading = undefined;
    });
    return this.#loading;
  }

  /** The server has others by now. */
  drop(stale: Bindings): void {
    if (this.#bindings === stale) this.#bindings = undefined;
  }

  async #load(): Promise<Bindings> {
    const reply = (await this.#link().run(loadBindings, [this.#keys.version, this.#keys.bindings], [])) as string[];
    const [version = "", ...bound] = reply;
    this.#bindings = new Bindings(version, bound, this.#keys);
    return this.#bindings;
  }
}
