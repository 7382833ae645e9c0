import { connect as connectTcp, isIP, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import loggers from "kafkajs/src/loggers/index.js";
import Connection from "kafkajs/src/network/connection.js";
import apiKeys from "kafkajs/src/protocol/requests/apiKeys.js";
import protocol from "kafkajs/src/protocol/requests/index.js";
import { KafkaError } from "../wire/kafka-error.ts";
import type { ClientSettings } from "./client-settings.ts";
import { kafkaErrorOf } from "./kafkajs-errors.ts";

const KEEP_ALIVE_MS = 60_000;
/** How often requests are checked for their time limit. kafkajs does it ten times a second on every socket. */
const TIMEOUT_CHECK_MS = 1_000;

type Versions = Readonly<Record<number, { minVersion: number; maxVersion: number }>>;

/** One connection to one broker. A lost one is not opened again: a new one replaces it. */
export class BrokerConnection {
  readonly #connection: Connection;
  readonly #opening: Promise<void>;
  /** How long the first response may take: a socket that accepts and never answers is as good as none. */
  readonly #openTimeout: number;
  #versions: Versions = {};
  #ended = false;
  #wasOpen = false;
  #abandon: (error: KafkaError) => void = () => {};

  constructor(host: string, port: number, settings: ClientSettings, onEnd: () => void) {
    const { clientId, requestTimeout, connectTimeout, sasl, tls, route } = settings;
    const at = route(host, port);
    this.#openTimeout = Math.min(connectTimeout, requestTimeout);
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
      socketFactory: (target: { host: string; port: number; onConnect: () => void }) => {
        const socket = openSocket(target, tls, host);
        socket.once("close", () => {
          this.#lost();
          onEnd();
        });
        return socket;
      },
    });
    fixTimers(this.#connection);
    this.#opening = new Promise((resolve, reject) => {
      this.#abandon = reject;
      this.#open().then(resolve, reject);
    });
    // Every `send` rejects with the problem; nobody may be waiting yet.
    this.#opening.catch(() => {});
  }

  get usable(): boolean {
    return !this.#ended;
  }

  /** Whether it ever served. */
  get wasOpen(): boolean {
    return this.#wasOpen;
  }

  /** Whether it is open and nobody waits for a response. */
  get idle(): boolean {
    const { inflight, pending } = this.#connection.requestQueue;
    return this.#wasOpen && inflight.size === 0 && pending.length === 0;
  }

  /** The protocol versions that the broker supports; empty until the connection is open. */
  get versions(): Versions {
    return this.#versions;
  }

  opened(): Promise<void> {
    return this.#opening;
  }

  /**
   * Sends one request and resolves to its decoded response, whose error codes are not checked.
   *
   * @param body the request's body, if it is already encoded
   * @param decode decodes the response in place of kafkajs
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
    if (definition === undefined || key === undefined) throw new Error(`unknown request ${api}`);
    try {
      const encode = body === undefined ? {} : { encode: async () => encoded(body) };
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
      throw this.#known(error);
    }
  }

  /** Sends a request of a version that kafkajs does not know. */
  async sendEncoded<T>(api: string, apiVersion: number, body: Buffer, decode: (raw: Buffer) => T): Promise<T> {
    await this.#opening;
    if (this.#ended) throw connectionLost();
    try {
      return (await this.#connection.send({
        request: { apiKey: apiKeys[api], apiVersion, apiName: api, encode: async () => encoded(body) },
        response: { decode: async (raw) => decode(raw), parse: async (data) => data },
        logResponseError: false,
      })) as T;
    } catch (error) {
      throw this.#known(error);
    }
  }

  #known(error: unknown): KafkaError {
    const known = kafkaErrorOf(error);
    // After a late response, the next one may belong to another request.
    if (known.type === "TIMEOUT" || known.type === "CONNECTION") this.end();
    return known;
  }

  /** Closes the connection, even while it opens; whatever waits for it rejects at once. */
  end(): void {
    this.#lost();
    this.#abandon(connectionLost());
    this.#destroy();
  }

  /** While kafkajs connects it reacts to an error only; without one it would wait for its time limit. */
  #destroy(): void {
    this.#connection.socket?.destroy(connectionLost());
  }

  #lost(): void {
    this.#ended = true;
    // Without this a login in progress would write to the closed connection and wait forever for the response.
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
      this.#wasOpen = true;
    } catch (error) {
      this.#lost();
      this.#destroy();
      throw kafkaErrorOf(error);
    }
  }

  async #askVersions(): Promise<Versions> {
    const definition = protocol.requests.ApiVersions;
    if (definition === undefined) throw new Error("unknown request ApiVersions");
    const ask = definition.protocol({ version: 1 })({});
    const asked = this.#connection.send({ ...ask, logResponseError: false });
    const response = (await answerWithin(asked, this.#openTimeout)) as {
      apiVersions: readonly { apiKey: number; minVersion: number; maxVersion: number }[];
    };
    return Object.fromEntries(response.apiVersions.map((each) => [each.apiKey, each]));
  }
}

/** kafkajs takes no shorter time limit for one request than for all. */
async function answerWithin<T>(response: Promise<T>, limit: number): Promise<T> {
  response.catch(() => {});
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    const error = new KafkaError(
      "TIMEOUT",
      `The broker accepted the connection and did not answer for ${limit} ms.`,
      true,
    );
    timer = setTimeout(() => reject(error), limit);
  });
  return Promise.race([response, late]).finally(() => clearTimeout(timer));
}

/** In the form of kafkajs's encoder. */
function encoded(body: Buffer): { readonly buf: Buffer; readonly buffer: Buffer } {
  return { buf: body, buffer: body };
}

function connectionLost(): KafkaError {
  return new KafkaError("CONNECTION", "The connection was lost.", true);
}

type Tls = ClientSettings["tls"];

function openSocket(target: { host: string; port: number; onConnect: () => void }, tls: Tls, name: string): Socket {
  const { host, port, onConnect } = target;
  const socket =
    tls === undefined
      ? connectTcp({ host, port, noDelay: true }, onConnect)
      : connectTls({ host, port, ...(isIP(name) === 0 ? { servername: name } : {}), ...tls }, onConnect);
  if (tls !== undefined) socket.setNoDelay(true);
  return socket.setKeepAlive(true, KEEP_ALIVE_MS);
}

/**
 * kafkajs checks for throttled requests with a timer of `-1 - Date.now()` milliseconds. Node.js fires such a timer at once,
 * again and again: 870 wake-ups a second on an idle connection. Here the timer is set only while something is pending.
 */
function fixTimers({ requestQueue }: Connection): void {
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
    }, TIMEOUT_CHECK_MS);
  };
}

/** Every error reaches its caller, so that kafkajs would only report it a second time. */
const silent = loggers.createLogger({ level: loggers.LEVELS.NOTHING ?? 0, logCreator: () => () => {} });
