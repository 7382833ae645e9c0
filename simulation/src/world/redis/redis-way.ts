import type { Connection, ConnectOptions } from "@papa-events/core/transport";
import { type RedisStreamsOptions, redisStreams } from "@papa-events/transport-redis-streams";
import type { History } from "../../history/history.ts";
import { owner } from "../owner.ts";
import type { Way } from "../way.ts";
import { ObservedConnection } from "./connection.ts";
import { connectorTo } from "./connector.ts";
import { Gate } from "./gate.ts";
import type { Observer } from "./observer.ts";
import { SimulatedSocket, type SocketOptions } from "./socket.ts";

/** What `ioredis` takes. */
type ClientOptions = NonNullable<RedisStreamsOptions["connection"]>;

export interface RedisWayOptions {
  readonly history: History;
  readonly observer: Observer;
  readonly goesWrong: (what: string, rule: string) => void;
  readonly lease: number;
  readonly socket: Omit<SocketOptions, "gate">;
}

/** A process's way to the simulated server: the transport and its client as they are, over sockets that are none. */
export class RedisWay implements Way {
  readonly name = "redis-streams";
  readonly #options: RedisWayOptions;
  readonly #gate = new Gate();
  readonly #sockets = new Set<SimulatedSocket>();

  constructor(options: RedisWayOptions) {
    this.#options = options;
  }

  async connect(options: ConnectOptions): Promise<Connection> {
    const { lease, socket } = this.#options;
    const transport = redisStreams({ lease, connection: this.#clientOptions() });
    const connection = await owner.run(socket.process, () => transport.connect(options));
    return new ObservedConnection(connection, { ...this.#options, scheduler: socket.scheduler }, socket.process);
  }

  sever(): void {
    for (const socket of this.#sockets) socket.die();
    this.#sockets.clear();
  }

  setConnected(connected: boolean, silent: boolean): void {
    if (connected) this.#gate.open();
    else if (silent) this.#gate.stall();
    else {
      this.#gate.close();
      for (const socket of this.#sockets) socket.reset();
    }
  }

  #clientOptions(): ClientOptions {
    const Connector = connectorTo(() => {
      const socket = new SimulatedSocket({ ...this.#options.socket, gate: this.#gate });
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      return socket;
    });
    return {
      host: "simulated",
      protocol: 2,
      Connector: Connector as unknown as NonNullable<ClientOptions["Connector"]>,
    };
  }
}
