import { Redis, type RedisOptions } from "ioredis";
import { isReply } from "./errors.ts";

const LOOK_INTERVAL_MS = 1_000;
/** A Sentinel that takes longer is asked anew on a new connection. */
const MAX_ANSWER_MS = 2_000;
const SENTINEL_PORT = 26_379;

/** What a Sentinel says. Each failover has a higher epoch. */
interface Answer {
  /** `host:port` of the primary. */
  readonly primary: string;
  readonly epoch: number;
}

interface Follower {
  readonly client: Redis;
  /** The server that it has connected to last, as Sentinels call it. */
  server: string | undefined;
}

/**
 * Sees to it that clients connected through Sentinels leave a primary that was replaced while it lived on, cut off from most
 * Sentinels. Nothing tells them otherwise, and a Sentinel that was cut off with it goes on naming it. So all are asked, and the
 * newest answer counts, where most of them answer.
 *
 * ioredis has `failoverDetector` for this. But it has each client connect to each Sentinel, prints what goes wrong there, and asks
 * the same Sentinel as before where to connect next.
 */
export class PrimaryWatch {
  readonly #options: RedisOptions;
  readonly #followers = new Set<Follower>();
  #sentinels: readonly Redis[] = [];
  #timer: NodeJS.Timeout | undefined;
  #primary: string | undefined;
  readonly #replaced = new Set<string>();

  /** @param options those of ioredis, with `sentinels` */
  constructor(options: RedisOptions) {
    this.#options = options;
  }

  /** Makes a client that follows the primary until it is closed. */
  makeClient(options: RedisOptions & { readonly replyMapping: "legacy" }): Redis {
    const natMap = (named: string) => {
      const server = this.#replaced.has(named) ? (this.#primary ?? named) : named;
      // Sentinels' own addresses come through here too, and the server's is the last.
      follower.server = server;
      return this.#translate(server);
    };
    const follower: Follower = { client: new Redis({ ...options, natMap }), server: undefined };
    this.#followers.add(follower);
    follower.client.once("end", () => {
      this.#followers.delete(follower);
      if (this.#followers.size === 0) this.#stop();
    });
    if (this.#followers.size === 1) this.#start();
    return follower.client;
  }

  #start(): void {
    this.#sentinels = (this.#options.sentinels ?? []).map(({ host = "127.0.0.1", port = SENTINEL_PORT, family }) => {
      const { sentinelUsername, sentinelPassword, sentinelTLS, sentinelCommandTimeout, connectTimeout } = this.#options;
      const sentinel = new Redis({
        host,
        port,
        family: family ?? this.#options.family,
        username: sentinelUsername,
        password: sentinelPassword,
        tls: sentinelTLS,
        connectTimeout,
        commandTimeout: sentinelCommandTimeout ?? MAX_ANSWER_MS,
        protocol: 2,
        enableReadyCheck: false,
        enableOfflineQueue: false,
        autoResendUnfulfilledCommands: false,
        maxRetriesPerRequest: 0,
        retryStrategy: () => LOOK_INTERVAL_MS,
        replyMapping: "legacy",
      });
      return sentinel.on("error", () => {});
    });
    this.#timer = setTimeout(() => void this.#look(), 0);
  }

  #stop(): void {
    clearTimeout(this.#timer);
    for (const sentinel of this.#sentinels) sentinel.disconnect();
    this.#sentinels = [];
    this.#primary = undefined;
    this.#replaced.clear();
  }

  async #look(): Promise<void> {
    const sentinels = this.#sentinels;
    // By what was found at the last look: a connection that was just made is still being set up.
    for (const { client, server } of this.#followers) {
      if (client.status === "ready" && server !== undefined && this.#replaced.has(server)) client.disconnect(true);
    }
    const answers = (await Promise.all(sentinels.map((each) => this.#ask(each)))).filter((each) => each !== undefined);
    if (this.#sentinels !== sentinels) return;
    if (answers.length > sentinels.length / 2) this.#compare(answers);
    this.#timer = setTimeout(() => void this.#look(), LOOK_INTERVAL_MS);
  }

  #compare(answers: readonly Answer[]): void {
    const newest = answers.reduce((one, other) => (other.epoch > one.epoch ? other : one));
    for (const { primary } of answers) this.#replaced.add(primary);
    if (this.#primary !== undefined) this.#replaced.add(this.#primary);
    this.#primary = newest.primary;
    this.#replaced.delete(newest.primary);
  }

  async #ask(sentinel: Redis): Promise<Answer | undefined> {
    if (sentinel.status !== "ready") return undefined;
    try {
      const reply = (await sentinel.call("SENTINEL", "MASTER", this.#options.name ?? "")) as string[];
      const field = (name: string) => reply.find((_, index) => index % 2 === 1 && reply[index - 1] === name);
      return { primary: `${field("ip")}:${field("port")}`, epoch: Number(field("config-epoch")) };
    } catch (error) {
      if (!isReply(error)) sentinel.disconnect(true);
      return undefined;
    }
  }

  #translate(server: string): { host: string; port: number } | null {
    const { natMap } = this.#options;
    const translated = typeof natMap === "function" ? natMap(server) : natMap?.[server];
    if (translated !== undefined && translated !== null) return translated;
    const colon = server.lastIndexOf(":");
    return { host: server.slice(0, colon), port: Number(server.slice(colon + 1)) };
  }
}
