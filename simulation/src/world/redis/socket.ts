import { Duplex } from "node:stream";
import type { Reply } from "../../redis/reply.ts";
import { CommandReader, encodeReply } from "../../redis/resp.ts";
import type { Client, Server } from "../../redis/server.ts";
import type { SimulatedProcess } from "../../scheduling/process.ts";
import type { Scheduler } from "../../scheduling/scheduler.ts";
import { Pipe } from "../network/pipe.ts";
import { owner } from "../owner.ts";
import type { Gate } from "./gate.ts";

export interface SocketOptions {
  readonly scheduler: Scheduler;
  readonly server: Server;
  readonly serverProcess: SimulatedProcess;
  readonly process: SimulatedProcess;
  readonly gate: Gate;
  /** Whether nobody can connect. */
  readonly refuses: () => boolean;
  readonly latency: () => number;
  /** Called with each connection that the server has taken. */
  readonly onConnect: (client: Client, socket: SimulatedSocket) => void;
}

/** The client's end of a connection to the simulated server, as `net.connect` would give it. */
export class SimulatedSocket extends Duplex {
  connecting = true;
  readonly #options: SocketOptions;
  readonly #up: Pipe;
  readonly #down: Pipe;
  readonly #reader = new CommandReader();
  #client: Client | undefined;
  /** Whether the connection has ended, as the server sees it. */
  #over = false;
  #timeout: NodeJS.Timeout | undefined;
  /** What is written in one task goes in one piece. */
  #outgoing: { readonly task: number; readonly chunks: Buffer[] } | undefined;
  #replies: { readonly task: number; readonly chunks: Buffer[] } | undefined;

  constructor(options: SocketOptions) {
    super();
    const { scheduler, serverProcess, process, latency } = options;
    this.#options = options;
    this.#up = new Pipe(scheduler, serverProcess, latency);
    this.#down = new Pipe(scheduler, process, latency);
    this.#up.send(() => options.gate.pass(() => this.#arrive()));
  }

  // What a client sets on a socket and what does nothing here.

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  /** Only before it is connected is there one. */
  setTimeout(milliseconds: number, onTimeout?: () => void): this {
    clearTimeout(this.#timeout);
    if (milliseconds > 0 && onTimeout !== undefined) this.#timeout = setTimeout(onTimeout, milliseconds);
    return this;
  }

  /** The server ends the connection, or the network does; the client learns of it after what is on its way. */
  reset(): void {
    this.#leave();
    this.#toClient(() => this.destroy(errorOf("ECONNRESET", "read")));
  }

  override _read(): void {}

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    const { scheduler } = this.#options;
    if (this.#outgoing?.task === scheduler.ran) this.#outgoing.chunks.push(chunk);
    else {
      const outgoing = { task: scheduler.ran, chunks: [chunk] };
      this.#outgoing = outgoing;
      this.#toServer(() => this.#receive(Buffer.concat(outgoing.chunks)));
    }
    done();
  }

  override _final(done: () => void): void {
    this.#toServer(() => {
      this.#leave();
      this.#toClient(() => this.push(null));
    });
    done();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    clearTimeout(this.#timeout);
    this.#toServer(() => this.#leave());
    done(error);
  }

  /** Its process has died: the system ends the connection. */
  die(): void {
    this.#toServer(() => this.#leave());
  }

  #arrive(): void {
    const { server, gate, refuses, onConnect } = this.#options;
    if (this.#over) return;
    if (gate.closed || refuses()) {
      this.#over = true;
      this.#toClient(() => this.destroy(errorOf("ECONNREFUSED", "connect")));
      return;
    }
    this.#client = server.connect((reply) => this.#reply(reply));
    onConnect(this.#client, this);
    this.#toClient(() => {
      if (this.destroyed) return;
      this.connecting = false;
      this.emit("connect");
    });
  }

  #receive(bytes: Buffer): void {
    for (const words of this.#reader.read(bytes)) {
      if (this.#client === undefined || this.#over) return;
      this.#options.server.receive(this.#client, words);
    }
  }

  #reply(reply: Reply): void {
    if (this.#over) return;
    const chunk = encodeReply(reply);
    const { scheduler } = this.#options;
    if (this.#replies?.task === scheduler.ran) this.#replies.chunks.push(chunk);
    else {
      const replies = { task: scheduler.ran, chunks: [chunk] };
      this.#replies = replies;
      this.#toClient(() => {
        if (!this.destroyed) this.push(Buffer.concat(replies.chunks));
      });
    }
  }

  #leave(): void {
    this.#over = true;
    if (this.#client !== undefined) this.#options.server.disconnect(this.#client);
  }

  #toServer(arrive: () => void): void {
    this.#up.send(() => this.#options.gate.pass(arrive));
  }

  #toClient(arrive: () => void): void {
    const { process, gate } = this.#options;
    this.#down.send(() =>
      gate.pass(() => {
        // What the network lets through again may come in a pause.
        if (process.paused) process.hold(() => this.#runInClient(arrive));
        else this.#runInClient(arrive);
      }),
    );
  }

  #runInClient(arrive: () => void): void {
    const { process } = this.#options;
    if (!process.dead) owner.run(process, arrive);
  }
}

function errorOf(code: string, syscall: string): Error {
  return Object.assign(new Error(`${syscall} ${code}`), { code, syscall });
}
