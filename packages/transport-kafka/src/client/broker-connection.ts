import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import loggers from "kafkajs/src/loggers/index.js";
import Connection from "kafkajs/src/network/connection.js";
import apiKeys from "kafkajs/src/protocol/requests/apiKeys.js";
import protocol from "kafkajs/src/protocol/requests/index.js";
import type { ClientSettings } from "./client-settings.ts";
import { KafkaError } from "./kafka-client.ts";
import { kafkaErrorOf } from "./kafkajs-errors.ts";

const KEEP_ALIVE = 60_000;
/** How often requests without an answer are looked for. kafkajs does it ten times a second on every socket. */
const TIMEOUT_CHECK = 1_000;

type Versions = Readonly<Record<number, { minVersion: number; maxVersion: number }>>;

/** One connection to one broker. When it is lost it stays lost: a new one takes its place. */
export class Wire {
  readonly #connection: Connection;
  readonly #opening: Promise<void>;
  #versions: Versions = {};
  #ended = false;
  #abandon: (error: KafkaError) => void = () => {};

  constructor(host: string, port: number, settings: ClientSettings, onEnd: () => void) {
    const { clientId, requestTimeout, connectTimeout, sasl, tls, route } = settings;
    const at = route(host, port);
    this.#connection = new Connection({
      host: at.host,
      port: at.port,
      logger: silent,
      clientId,
      requestTimeout,
      connectionTimeout: connectTimeout,
      ssl: tls ?? null,
      // A copy, because kafkajs keeps its authenticator in the object it is given.
      sasl: sasl === undefined ? null : { ...sasl },
      socketFactory: (asked: { host: string; port: number; onConnect: () => void }) => {
        const socket = openSocket(asked, tls, host);
        socket.once("close", () => {
          this.#lost();
          onEnd();
        });
        return socket;
      },
    });
    mendTimers(this.#connection);
    this.#opening = new Promise((resolve, reject) => {
      this.#abandon = reject;
      this.#open().then(resolve, reject);
    });
    // Whoever sends is told; nobody may be waiting yet.
    this.#opening.catch(() => {});
  }

  get usable(): boolean {
    return !this.#ended;
  }

  /** The versions of the protocol that the broker speaks, once it is open. */
  get versions(): Versions {
    return this.#versions;
  }

  opened(): Promise<void> {
    return this.#opening;
  }

  /**
   * Sends one request and resolves to its decoded answer, error codes unread.
   *
   * @param body the request's, where it is encoded already
   * @param decode reads the answer in place of kafkajs
   */
  async send<T>(
    api: string,
    parameters: object,
    body?: Buffer,
    decode?: (raw: Buffer, version: number) => T,
  ): Promise<T> {
    await this.#opening;
    if (this.#ended) throw connectionLost();
    const definition = protocol.requests[api];
    const key = apiKeys[api];
    if (definition === undefined || key === undefined) throw new Error(`no request ${api}`);
    try {
      const encode = body === undefined ? {} : { encode: async () => ({ buf: body, buffer: body }) };
      const { request, response, requestTimeout } = protocol.lookup(this.#versions)(key, definition)(parameters);
      return (await this.#connection.send({
        request: { ...request, ...encode },
        response: {
          decode: async (raw) => decode?.(raw, request.apiVersion) ?? response.decode(raw),
          parse: async (data) => data,
        },
        ...(requestTimeout === undefined ? {} : { requestTimeout }),
        logResponseError: false,
      })) as T;
    } catch (error) {
      const known = kafkaErrorOf(error);
      // A broker that does not answer in time may answer the wrong question next.
      if (known.type === "TIMEOUT" || known.type === "CONNECTION") this.end();
      throw known;
    }
  }

  /** Ends it whatever it is about: who waits for it to open is told at once, as is who waits for an answer. */
  end(): void {
    this.#lost();
    this.#abandon(connectionLost());
    this.#destroy();
  }

  /** With an error, because kafkajs does not hear of anything else while it connects and would wait until its time is over. */
  #destroy(): void {
    this.#connection.socket?.destroy(connectionLost());
  }

  #lost(): void {
    this.#ended = true;
    // Else a login that goes on would write to what has ended, and wait for ever for the answer.
    this.#connection.connectionStatus = "disconnected";
    this.#connection.requestQueue.destroy();
    this.#connection.rejectRequests(connectionLost());
  }

  async #open(): Promise<void> {
    try {
      await this.#connection.connect();
      this.#versions = await this.#askVersions();
      this.#connection.setVersions(this.#versions);
      this.#connection.setSupportAuthenticationProtocol(this.#versions[apiKeys.SaslAuthenticate ?? -1] !== undefined);
      await this.#connection.authenticate();
    } catch (error) {
      this.#lost();
      this.#destroy();
      throw kafkaErrorOf(error);
    }
  }

  async #askVersions(): Promise<Versions> {
    const definition = protocol.requests.ApiVersions;
    if (definition === undefined) throw new Error("no request ApiVersions");
    const ask = definition.protocol({ version: 1 })({});
    const answer = (await this.#connection.send({ ...ask, logResponseError: false })) as {
      apiVersions: readonly { apiKey: number; minVersion: number; maxVersion: number }[];
    };
    return Object.fromEntries(answer.apiVersions.map((each) => [each.apiKey, each]));
  }
}

function connectionLost(): KafkaError {
  return new KafkaError("CONNECTION", "The connection was lost.", true);
}

type Tls = ClientSettings["tls"];

function openSocket(asked: { host: string; port: number; onConnect: () => void }, tls: Tls, name: string): Socket {
  const { host, port, onConnect } = asked;
  const socket =
    tls === undefined
      ? connectTcp({ host, port, noDelay: true }, onConnect)
      : connectTls({ host, port, ...(isIP(name) === 0 ? { servername: name } : {}), ...tls }, onConnect);
  if (tls !== undefined) socket.setNoDelay(true);
  return socket.setKeepAlive(true, KEEP_ALIVE);
}

/**
 * kafkajs looks for throttled requests with a timer of `-1 - Date.now()` milliseconds, which Node.js fires at once, again
 * and again: 870 wake-ups a second on an idle connection. Here it is set only while something is pending.
 */
function mendTimers({ requestQueue }: Connection): void {
  const schedule = requestQueue.scheduleCheckPendingRequests.bind(requestQueue);
  requestQueue.scheduleCheckPendingRequests = () => {
    if (requestQueue.pending.length > 0) schedule();
  };
  requestQueue.scheduleRequestTimeoutCheck = () => {
    requestQueue.destroy();
    requestQueue.requestTimeoutIntervalId = setInterval(() => {
      const now = Date.now();
      for (const request of requestQueue.inflight.values())
        if (now - request.sentAt > request.requestTimeout) request.timeoutRequest();
      if (!requestQueue.isConnected()) requestQueue.destroy();
    }, TIMEOUT_CHECK);
  };
}

/** Every error reaches its caller; what kafkajs says beside would tell it twice. */
const silent = loggers.createLogger({ level: loggers.LEVELS.NOTHING ?? 0, logCreator: () => () => {} });
