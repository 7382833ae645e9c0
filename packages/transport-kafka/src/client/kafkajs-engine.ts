import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import loggers from "kafkajs/src/loggers/index.js";
import KafkajsConnection from "kafkajs/src/network/connection.js";
import apiKeys from "kafkajs/src/protocol/requests/apiKeys.js";
import { KafkaError } from "../wire/kafka-error.ts";
import { type EncodedRequest, type Engine, type EngineConnection, type EngineTarget, KEEP_ALIVE_MS } from "./engine.ts";
import type { ProtocolVersions } from "./kafka-client.ts";
import { kafkaErrorOf } from "./kafkajs-errors.ts";
import { oauthBearer } from "./oauth-bearer.ts";
import type { SaslOptions } from "./options.ts";

/** Connections of kafkajs. */
export const kafkajsEngine: Engine = (target, onEnd) => new Connection(target, onEnd);

class Connection implements EngineConnection {
  readonly #connection: KafkajsConnection;

  constructor({ host, port, clientId, connectTimeout, sasl, tls }: EngineTarget, onEnd: () => void) {
    this.#connection = new KafkajsConnection({
      host,
      port,
      logger: silent,
      clientId,
      // It would look for late responses ten times a second on every socket.
      enforceRequestTimeout: false,
      connectionTimeout: connectTimeout,
      ssl: tls ?? null,
      sasl: sasl === undefined ? null : kafkajsLogin(sasl),
      socketFactory: (at: SocketTarget) => openSocket(at, tls).once("close", onEnd),
    });
    // It waits for nothing here. The timer is for `-1 - Date.now()` milliseconds, which fires at once, again and again: 870
    // wake-ups a second on an idle connection.
    this.#connection.requestQueue.scheduleCheckPendingRequests = () => {};
  }

  async connect(): Promise<void> {
    await known(this.#connection.connect());
  }

  async login(versions: ProtocolVersions): Promise<void> {
    this.#connection.setVersions(versions);
    this.#connection.setSupportAuthenticationProtocol(versions[apiKeys.SaslAuthenticate ?? -1] !== undefined);
    await known(this.#connection.authenticate());
  }

  send({ api, key, version, body }: EncodedRequest): Promise<Buffer> {
    const sent = this.#connection.send({
      request: { apiKey: key, apiVersion: version, apiName: api, encode: async () => ({ buf: body, buffer: body }) },
      response: { decode: async (raw) => raw, parse: async (raw) => raw },
      logResponseError: false,
    });
    return known(sent);
  }

  destroy(): void {
    const lost = new KafkaError("CONNECTION", "The connection was lost.", true);
    // Without this a login in progress would write to the closed connection and wait forever for the response.
    this.#connection.connectionStatus = "disconnected";
    this.#connection.rejectRequests(lost);
    // While kafkajs connects it reacts to an error only; without one it would wait for its time limit.
    this.#connection.socket?.destroy(lost);
  }
}

async function known<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    throw kafkaErrorOf(error);
  }
}

function kafkajsLogin(sasl: SaslOptions): object {
  // A copy, because kafkajs keeps its authenticator in the object it is given.
  if (sasl.mechanism !== "oauthbearer") return { ...sasl };
  return { mechanism: sasl.mechanism, authenticationProvider: oauthBearer(sasl.token, sasl.extensions) };
}

interface SocketTarget {
  readonly host: string;
  readonly port: number;
  readonly onConnect: () => void;
}

function openSocket({ host, port, onConnect }: SocketTarget, tls: EngineTarget["tls"]): Socket {
  const socket =
    tls === undefined
      ? connectTcp({ host, port, noDelay: true }, onConnect)
      : connectTls({ host, port, ...tls }, onConnect).setNoDelay(true);
  return socket.setKeepAlive(true, KEEP_ALIVE_MS);
}

/** Every error reaches its caller, so that kafkajs would only report it a second time. */
const silent = loggers.createLogger({ level: loggers.LEVELS.NOTHING ?? 0, logCreator: () => () => {} });
