import { connect, createServer, type Server, type Socket } from "node:net";
import { LOCAL } from "./net.ts";

/** What stands between a client and its broker. */
export interface BrokerProxy {
  readonly host: string;
  readonly port: number;
  /** The broker's address by way of this proxy. */
  readonly uri: string;
  /** For each address that the broker may give its clients, as `host:port`, the way there by this proxy. */
  readonly routes: Readonly<Record<string, string>>;
  /** How many connections are open. */
  readonly connections: number;
  /** Resets all connections; new ones are let through. */
  cut(): void;
  /** Resets all connections and every new one, until {@link accept}. */
  refuse(): void;
  /** Passes on nothing more, in either direction, without closing anything, until {@link flow}. */
  stall(): void;
  /** Passes on nothing more of some of the open connections, chosen by their place, until they are cut. */
  stallSome(chosen: (place: number) => boolean): void;
  /** Half open: the broker's side is closed, and the client does not notice. What it sends goes nowhere. */
  halfOpen(): void;
  /** What the broker says on the open connections goes nowhere from now on; what clients say still reaches it. */
  loseReplies(): void;
  /** Ends {@link refuse}. */
  accept(): void;
  /** Ends {@link stall}. */
  flow(): void;
  close(): Promise<void>;
}

interface Pair {
  readonly client: Socket;
  readonly broker: Socket;
}

/** A proxy on a free port, in front of one address. */
export async function startProxy(
  host: string,
  port: number,
  uri: (host: string, port: number) => string,
): Promise<BrokerProxy> {
  const pairs = new Set<Pair>();
  let refusing = false;
  let stalled = false;
  const server = createServer({ noDelay: true }, (client) => {
    if (refusing) {
      client.resetAndDestroy();
      return;
    }
    const pair = { client, broker: connect({ host, port, noDelay: true }) };
    pairs.add(pair);
    join(pair, () => pairs.delete(pair));
    if (stalled) pauseBoth(pair);
  });
  const own = await listen(server);
  const reset = () => {
    for (const { client, broker } of pairs) {
      client.resetAndDestroy();
      broker.resetAndDestroy();
    }
    pairs.clear();
  };
  return {
    host: LOCAL,
    port: own,
    uri: uri(LOCAL, own),
    routes: { [`${host}:${port}`]: `${LOCAL}:${own}` },
    get connections() {
      return pairs.size;
    },
    cut: reset,
    refuse: () => {
      refusing = true;
      reset();
    },
    accept: () => {
      refusing = false;
    },
    stall: () => {
      stalled = true;
      for (const pair of pairs) pauseBoth(pair);
    },
    stallSome: (chosen) => {
      for (const [place, pair] of [...pairs].entries()) if (chosen(place)) pauseBoth(pair);
    },
    flow: () => {
      stalled = false;
      for (const { client, broker } of pairs) {
        client.pipe(broker);
        broker.pipe(client);
      }
    },
    halfOpen: () => {
      for (const { client, broker } of pairs) {
        client.unpipe(broker);
        client.resume();
        broker.removeAllListeners("close");
        broker.destroy();
      }
    },
    loseReplies: () => {
      for (const { client, broker } of pairs) broker.unpipe(client).resume();
    },
    close: async () => {
      reset();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Passes on in both directions; when one side ends the other does. */
function join({ client, broker }: Pair, onEnd: () => void): void {
  client.pipe(broker);
  broker.pipe(client);
  // Errors are followed by "close".
  client.on("error", () => {});
  broker.on("error", () => {});
  client.on("close", () => {
    broker.destroy();
    onEnd();
  });
  broker.on("close", () => {
    client.destroy();
    onEnd();
  });
}

function pauseBoth({ client, broker }: Pair): void {
  client.unpipe(broker).pause();
  broker.unpipe(client).pause();
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve, reject) => server.once("error", reject).listen(0, LOCAL, resolve));
  // Proxies alone keep no process alive.
  server.unref();
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("a server without a port");
  return address.port;
}
