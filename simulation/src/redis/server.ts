import { Arguments } from "./commands/command.ts";
import { commands, NEEDS_MEMORY } from "./commands/commands.ts";
import { entryReply } from "./commands/streams.ts";
import { Database } from "./database.ts";
import { OK, RedisError, type Reply, syntaxError } from "./reply.ts";
import { FULL, Scripts } from "./scripts.ts";
import { MAX_ID, parseId, type StreamId } from "./stream-id.ts";

export interface ServerOptions {
  /** The server's clock, in milliseconds since 1970. */
  readonly now: () => number;
  /** Calls back after a while; returns how to cancel that. */
  readonly after: (milliseconds: number, run: () => void) => () => void;
  /** Whether it has reached `maxmemory`. */
  readonly isFull: () => boolean;
  /** Called when a command has been carried out, with what it has written to. */
  readonly onCommand: (client: Client, words: readonly string[], written: ReadonlySet<string>) => void;
}

/** A read that waits. */
interface Waiting {
  readonly key: string;
  /** Reads; `undefined` while there is nothing. @throws RedisError */
  readonly read: () => Reply | undefined;
  cancel: () => void;
}

/** A connection as the server sees it. */
export class Client {
  readonly id: number;
  name = "";
  waiting: Waiting | undefined;
  readonly queue: (readonly string[])[] = [];
  readonly #reply: (reply: Reply) => void;

  constructor(id: number, reply: (reply: Reply) => void) {
    this.id = id;
    this.#reply = reply;
  }

  reply(reply: Reply): void {
    this.#reply(reply);
  }
}

/** A server, as far as the transport uses one: commands are carried out one after another, each in one step. */
export class Server {
  readonly database: Database;
  readonly scripts: Scripts;
  readonly #options: ServerOptions;
  readonly #clients = new Map<number, Client>();
  #lastId = 0;

  constructor(options: ServerOptions) {
    this.#options = options;
    this.database = new Database(options.now);
    this.scripts = new Scripts(this.database, options.isFull);
  }

  /** @param reply is given what the server says, in the order of the commands */
  connect(reply: (reply: Reply) => void): Client {
    this.#lastId += 1;
    const client = new Client(this.#lastId, reply);
    this.#clients.set(client.id, client);
    return client;
  }

  disconnect(client: Client): void {
    this.#clients.delete(client.id);
    client.waiting?.cancel();
    client.waiting = undefined;
    client.queue.length = 0;
  }

  /** Takes a command of a client, which waits until those before it have been answered. */
  receive(client: Client, words: readonly string[]): void {
    client.queue.push(words);
    this.#goOn(client);
  }

  /** Carries out a command of nobody's. @throws RedisError */
  execute(...words: string[]): Reply {
    const reply = this.#execute(new Client(0, () => {}), words);
    this.#serveWaiting();
    return reply ?? null;
  }

  #goOn(client: Client): void {
    while (client.waiting === undefined && this.#clients.has(client.id)) {
      const words = client.queue.shift();
      if (words === undefined) return;
      let reply: Reply | undefined;
      try {
        reply = this.#execute(client, words);
      } catch (error) {
        if (!(error instanceof RedisError)) throw error;
        reply = error;
      }
      this.#executed(client, words);
      if (reply !== undefined) client.reply(reply);
      this.#serveWaiting();
    }
  }

  #executed(client: Client, words: readonly string[]): void {
    this.#options.onCommand(client, words, this.database.written);
  }

  /** `undefined` where the client waits. */
  #execute(client: Client, [name = "", ...rest]: readonly string[]): Reply | undefined {
    const word = name.toUpperCase();
    const args = new Arguments(rest);
    switch (word) {
      case "EVAL":
      case "EVAL_RO":
        return this.scripts.eval(args.next(), args, word === "EVAL_RO");
      case "EVALSHA":
      case "EVALSHA_RO":
        return this.scripts.evalSha(args.next(), args, word === "EVALSHA_RO");
      case "XREADGROUP":
        return this.#readGroup(client, args);
      case "XREAD":
        return this.#readStream(client, args);
      case "CLIENT":
        return this.#client(client, args);
      case "INFO":
        return "redis_version:7.0.15\r\nrole:master\r\nloading:0\r\nmaxmemory_policy:noeviction\r\naof_enabled:1\r\n";
      case "SELECT":
        return OK;
      case "WAIT":
        return 0;
    }
    const command = commands[word];
    if (command === undefined) throw new RedisError(`ERR unknown command '${name}'`);
    if (this.#options.isFull() && NEEDS_MEMORY.has(word)) throw new RedisError(FULL);
    return command(this.database, args);
  }

  #client(client: Client, args: Arguments): Reply {
    if (args.takes("ID")) return client.id;
    if (args.takes("SETNAME")) {
      client.name = args.next();
      return OK;
    }
    if (args.takes("SETINFO")) return OK;
    if (!args.takes("UNBLOCK")) throw new RedisError("ERR unknown subcommand of CLIENT");
    const other = this.#clients.get(args.integer());
    if (other?.waiting === undefined) return 0;
    this.#answer(other, null);
    return 1;
  }

  #readGroup(client: Client, args: Arguments): Reply | undefined {
    if (!args.takes("GROUP")) throw syntaxError();
    const [name, consumer] = [args.next(), args.next()];
    const { count, block, key, after } = readArguments(args);
    if (after !== ">") throw new RedisError("ERR the simulated server reads only what is new");
    const read = (): Reply | undefined => {
      const stream = this.database.stream(key);
      const group = stream?.groups.get(name);
      if (stream === undefined || group === undefined)
        throw new RedisError(
          `NOGROUP No such key '${key}' or consumer group '${name}' in XREADGROUP with GROUP option`,
        );
      group.consumers.add(consumer);
      const entries = stream.after(group.lastDelivered, count);
      const last = entries.at(-1);
      if (last === undefined) return undefined;
      group.lastDelivered = last.id;
      for (const { id } of entries) group.add({ id, consumer, deliveredAt: this.database.now, deliveries: 1 });
      this.database.written.add(key);
      return [[key, entries.map(entryReply)]];
    };
    return this.#readOrWait(client, key, block, read);
  }

  #readStream(client: Client, args: Arguments): Reply | undefined {
    const { count, block, key, after } = readArguments(args);
    const from: StreamId = after === "$" ? (this.database.stream(key)?.lastId ?? MAX_ID) : parseId(after, 0);
    const read = (): Reply | undefined => {
      const entries = this.database.stream(key)?.after(from, count) ?? [];
      return entries.length === 0 ? undefined : [[key, entries.map(entryReply)]];
    };
    return this.#readOrWait(client, key, block, read);
  }

  #readOrWait(
    client: Client,
    key: string,
    block: number | undefined,
    read: () => Reply | undefined,
  ): Reply | undefined {
    const found = read();
    if (found !== undefined || block === undefined) return found ?? null;
    const cancel = block === 0 ? () => {} : this.#options.after(block, () => this.#answer(client, null));
    client.waiting = { key, read, cancel };
    return undefined;
  }

  #answer(client: Client, reply: Reply): void {
    client.waiting?.cancel();
    client.waiting = undefined;
    client.reply(reply);
    this.#goOn(client);
  }

  /** Those that have waited longest come first. */
  #serveWaiting(): void {
    const written = new Set(this.database.written);
    this.database.written.clear();
    if (written.size === 0) return;
    for (const client of [...this.#clients.values()]) {
      const { waiting } = client;
      if (waiting === undefined || !written.has(waiting.key)) continue;
      let reply: Reply | undefined;
      try {
        reply = waiting.read();
      } catch (error) {
        if (!(error instanceof RedisError)) throw error;
        reply = error;
      }
      if (reply === undefined) continue;
      this.#executed(client, ["served"]);
      this.database.written.clear();
      this.#answer(client, reply);
    }
  }
}

function readArguments(args: Arguments) {
  let [count, block]: [number, number | undefined] = [Number.POSITIVE_INFINITY, undefined];
  while (!args.takes("STREAMS")) {
    if (args.takes("COUNT")) count = args.integer();
    else if (args.takes("BLOCK")) block = args.integer();
    else throw syntaxError();
  }
  const [key, after] = [args.next(), args.next()];
  args.end();
  return { count, block, key, after };
}
