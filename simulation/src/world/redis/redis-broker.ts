import type { QueueStats } from "@papa-events/core";
import type { History } from "../../history/history.ts";
import type { EventPlan, NetworkPlan } from "../../plan/plan.ts";
import type { Random } from "../../random.ts";
import { RedisError } from "../../redis/reply.ts";
import { type Client, Server } from "../../redis/server.ts";
import type { SimulatedProcess } from "../../scheduling/process.ts";
import type { Scheduler } from "../../scheduling/scheduler.ts";
import type { Weather } from "../network/weather.ts";
import { bodyOf } from "../payloads.ts";
import type { Broker, Way } from "../way.ts";
import { GROUP, INBOX, keyOf, RELEASED } from "./layout.ts";
import { Observer } from "./observer.ts";
import { RedisWay } from "./redis-way.ts";
import type { SimulatedSocket } from "./socket.ts";

export interface RedisBrokerOptions {
  readonly plan: NetworkPlan;
  readonly scheduler: Scheduler;
  readonly history: History;
  readonly weather: Weather;
  readonly serverProcess: SimulatedProcess;
  readonly random: Random;
  /** All events of the plan, by label. */
  readonly events: ReadonlyMap<string, EventPlan>;
  readonly goesWrong: (what: string, rule: string) => void;
}

/** A simulated Redis, and the network before it. */
export class RedisBroker implements Broker {
  readonly observer: Observer;
  readonly #options: RedisBrokerOptions;
  readonly #server: Server;
  readonly #processes = new Map<Client, { readonly name: string; readonly socket: SimulatedSocket }>();

  constructor(options: RedisBrokerOptions) {
    this.#options = options;
    const { scheduler, serverProcess, history, goesWrong } = options;
    this.#server = new Server({
      now: () => scheduler.now,
      after: (milliseconds, run) => scheduler.after(serverProcess, milliseconds, run),
      onCommand: (client, words, written) => this.#onCommand(client, words, written),
      isFull: () => options.weather.refuses("publishes") || options.weather.refuses("settlements"),
    });
    this.observer = new Observer({
      database: this.#server.database,
      history,
      now: () => scheduler.now,
      goesWrong,
    });
  }

  wayOf(process: SimulatedProcess): Way {
    const { scheduler, serverProcess, weather, plan, history, goesWrong } = this.#options;
    return new RedisWay({
      history,
      observer: this.observer,
      goesWrong,
      lease: plan.lease,
      socket: {
        scheduler,
        server: this.#server,
        serverProcess,
        process,
        refuses: () => weather.outage,
        latency: () => (plan.latency === 0 ? 0 : process.random.integer(0, plan.latency)),
        onConnect: (client, socket) => this.#processes.set(client, { name: process.name, socket }),
      },
    });
  }

  async dropIn(events: readonly EventPlan[]): Promise<void> {
    for (const event of events) {
      const fields = Object.entries(event.headers).flat();
      try {
        this.#server.execute("XADD", INBOX, "*", "event", event.name, "payload", bodyOf(event), ...fields);
      } catch (error) {
        // A full server takes nothing from strangers either.
        if (!(error instanceof RedisError)) throw error;
      }
    }
  }

  get holdsMore(): boolean {
    return (this.#server.database.stream(INBOX)?.length ?? 0) > 0;
  }

  async inspect(useCase: string): Promise<QueueStats | undefined> {
    const { database } = this.#server;
    const stream = database.stream(keyOf("queue", useCase));
    if (stream === undefined) return undefined;
    const group = stream.groups.get(GROUP);
    const pending = group?.between({ ms: 0, seq: 0 }, { ms: Number.POSITIVE_INFINITY, seq: 0 }) ?? [];
    const inFlight = pending.filter(
      ({ consumer }) => consumer !== RELEASED && !consumer.startsWith(`${RELEASED} `),
    ).length;
    return {
      ready: stream.length - inFlight,
      inFlight,
      waiting: database.hash(keyOf("waiting", useCase))?.fields.size ?? 0,
      dead: database.hash(keyOf("dead", useCase))?.fields.size ?? 0,
    };
  }

  forget(): void {
    this.#server.scripts.forget();
  }

  #onCommand(client: Client, words: readonly string[], written: ReadonlySet<string>): void {
    const of = this.#processes.get(client);
    this.observer.look(of?.name ?? "a stranger", written);
    const { weather, random } = this.#options;
    const stores = /^(?:EVAL|EVALSHA|XREADGROUP|served)$/i.test(words[0] ?? "");
    // What it has done is done, and nobody hears of it.
    if (stores && weather.refuses("confirmations") && random.chance(0.3)) of?.socket.reset();
  }
}
