import { type ChannelModel, connect } from "amqplib";
import { writeTogether } from "./batch-socket-writes.ts";
import { papaErrorOf, unsupported } from "./errors.ts";
import { addressOf, type Target, type TlsOptions } from "./options.ts";
import { within } from "./time-limit.ts";

/** The oldest broker whose quorum queues know a time to live and dead-letter at least once. */
const LEAST = { major: 3, minor: 10 };
/** How long the closing handshake may take before the socket is dropped: a paused broker never answers. */
const CLOSING = 3_000;

/** A connection that is open, on a broker that is fit. */
export interface BrokerConnection {
  readonly model: ChannelModel;
  /** The first number of the broker's version. */
  readonly major: number;
}

/** Connects once, and checks the broker (L4). @throws PapaError `connection-failed`, `access-refused`, `unsupported-broker` */
export async function connectTo(target: Target, connectionName: string): Promise<BrokerConnection> {
  const { protocol, hostname, port, username, password, vhost, heartbeat, connectTimeout, tls } = target;
  const address = addressOf(target);
  try {
    const connecting = connect(
      { protocol, hostname, port, username, password, vhost, heartbeat },
      {
        ...defined(tls),
        // Without it each small publish waits for the acknowledgement of the packet before (23 events/s in a chain).
        noDelay: true,
        keepAlive: true,
        timeout: connectTimeout,
        clientProperties: { connection_name: connectionName },
      },
    );
    const model = await within(connecting, connectTimeout, `no answer within ${connectTimeout} ms`, (late) => {
      late.on("error", () => {});
      void endConnection(late);
    });
    // An error that nobody listens to ends the process; "close" follows it and says the same.
    model.on("error", () => {});
    const { product, version } = model.connection.serverProperties;
    const problem = problemOfVersion(product, version);
    if (problem === undefined) {
      writeTogether(model);
      return { model, major: Number.parseInt(version, 10) };
    }
    void endConnection(model);
    throw unsupported(`The broker at ${address} is ${product} ${version}: ${problem}`);
  } catch (error) {
    throw papaErrorOf(error, { address });
  }
}

/** Closes a connection, in the end by its socket. Never rejects. */
export async function endConnection(model: ChannelModel): Promise<void> {
  try {
    await within(model.close(), CLOSING, "the broker does not answer");
  } catch {
    // amqplib's types leave out the socket, and a close that is never answered would keep the process alive.
    const { stream } = model.connection as unknown as { readonly stream: { destroy(): void } };
    stream.destroy();
  }
}

function problemOfVersion(product: string, version: string): string | undefined {
  if (product !== "RabbitMQ") return "this transport is for RabbitMQ";
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > LEAST.major || (major === LEAST.major && minor >= LEAST.minor)) return undefined;
  return `RabbitMQ ${LEAST.major}.${LEAST.minor} or newer is needed, whose quorum queues can delay and dead-letter safely`;
}

/** Node.js takes a member that is `undefined` for one that is set. */
function defined(tls: TlsOptions): Record<string, unknown> {
  return Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined));
}
