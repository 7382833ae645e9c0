import type { Socket } from "node:net";
import type { PapaError } from "@papa-events/core";
import { type ChannelModel, connect } from "amqplib";
import { batchSocketWrites } from "./batch-socket-writes.ts";
import { noneCanBeUsed, toPapaError, unsupportedBroker } from "./errors.ts";
import { addressOf, type Target, type TlsOptions } from "./options.ts";
import { within } from "./time-limit.ts";
import { tolerateHeaders } from "./tolerate-headers.ts";

/** The oldest broker whose quorum queues support a time to live and at-least-once dead-lettering. */
const MIN_VERSION = { major: 3, minor: 10 };
/** How long the closing handshake may take before the socket is dropped: a paused broker never answers. */
const MAX_CLOSE_MS = 3_000;

/** An open connection to a broker of a supported version. */
export interface OpenConnection {
  readonly model: ChannelModel;
  /** The first number of the broker's version. */
  readonly majorVersion: number;
  readonly minorVersion: number;
  readonly version: string;
  /** Which of the addresses it is. */
  readonly index: number;
}

/** At least so long a host is given to answer. */
const MIN_TIMEOUT_MS = 1_000;

/**
 * Connects to the first host that answers and checks the broker (L3, L4).
 *
 * @param first which host to begin with; the others follow in turn
 * @throws PapaError `connection-failed`, `access-refused`, `unsupported-broker`
 */
export async function openConnection(target: Target, connectionName: string, first = 0): Promise<OpenConnection> {
  const { addresses, connectTimeout } = target;
  const timeout = Math.max(MIN_TIMEOUT_MS, Math.floor(connectTimeout / addresses.length));
  const errors: PapaError[] = [];
  for (let tried = 0; tried < addresses.length; tried += 1) {
    const index = (first + tried) % addresses.length;
    const address = addresses[index];
    if (address === undefined) continue;
    try {
      const limit = addresses.length === 1 ? connectTimeout : timeout;
      return {
        ...(await openAddress({ ...target, addresses: [address], connectTimeout: limit }, connectionName)),
        index,
      };
    } catch (error) {
      errors.push(error as PapaError);
    }
  }
  throw noneCanBeUsed(errors, addressOf(target));
}

async function openAddress(target: Target, connectionName: string): Promise<Omit<OpenConnection, "index">> {
  const { protocol, username, password, vhost, heartbeat, connectTimeout, tls } = target;
  const address = addressOf(target);
  try {
    const [{ hostname = "", port = 0 } = {}] = target.addresses;
    const connecting = connect(
      { protocol, hostname, port, username, password, vhost, heartbeat },
      {
        ...withoutUndefined(tls),
        // Without it each small publish waits for the acknowledgement of the packet before (23 events/s in a chain).
        noDelay: true,
        keepAlive: true,
        timeout: connectTimeout,
        clientProperties: { connection_name: connectionName },
      },
    );
    const model = await within(connecting, connectTimeout, `no answer within ${connectTimeout} ms`, (late) => {
      late.on("error", () => {});
      void closeConnection(late);
    });
    // An unhandled error event ends the process; the "close" that follows carries the same error.
    model.on("error", () => {});
    // amqplib only ends its side: a peer that is gone would keep the socket for many minutes.
    model.on("close", () => void setTimeout(() => socketOf(model).destroy(), MAX_CLOSE_MS).unref());
    const { product, version } = model.connection.serverProperties;
    const problem = problemOfVersion(product, version);
    if (problem === undefined) {
      batchSocketWrites(model);
      tolerateHeaders(model);
      const [majorVersion = 0, minorVersion = 0] = version.split(".").map(Number);
      return { model, majorVersion, minorVersion, version };
    }
    void closeConnection(model);
    throw unsupportedBroker(`The broker at ${address} is ${product} ${version}: ${problem}`);
  } catch (error) {
    throw toPapaError(error, { address });
  }
}

/** Closes a connection, by dropping its socket if need be. Never rejects. */
export async function closeConnection(model: ChannelModel): Promise<void> {
  try {
    await within(model.close(), MAX_CLOSE_MS, "the broker does not answer");
  } catch {
    // A close that is never answered would keep the process alive.
    socketOf(model).destroy();
  }
}

/** amqplib's types leave it out. */
function socketOf(model: ChannelModel): Socket {
  return (model.connection as unknown as { readonly stream: Socket }).stream;
}

function problemOfVersion(product: string, version: string): string | undefined {
  if (product !== "RabbitMQ") return "this transport is for RabbitMQ";
  const [major = 0, minor = 0] = version.split(".").map(Number);
  if (major > MIN_VERSION.major || (major === MIN_VERSION.major && minor >= MIN_VERSION.minor)) return undefined;
  const oldest = `${MIN_VERSION.major}.${MIN_VERSION.minor}`;
  return `RabbitMQ ${oldest} or newer is needed, whose quorum queues can delay and dead-letter safely`;
}

/** Node.js reads a member that is `undefined` as one that is set. */
function withoutUndefined(tls: TlsOptions): Record<string, unknown> {
  return Object.fromEntries(Object.entries(tls).filter(([, value]) => value !== undefined));
}
