import { isIP } from "node:net";
import type { ConnectionOptions } from "node:tls";
import apiKeys from "kafkajs/src/protocol/requests/apiKeys.js";
import protocol from "kafkajs/src/protocol/requests/index.js";
import { KafkaError } from "../wire/kafka-error.ts";
import type { ClientSettings } from "./client-settings.ts";
import type { EncodedRequest, EngineConnection } from "./engine.ts";
import type { ProtocolVersions } from "./kafka-client.ts";
import { kafkaErrorOf } from "./kafkajs-errors.ts";
import type { TlsOptions } from "./options.ts";
import { Pending } from "./pending.ts";

/** One connection to one broker. A lost one is not opened again: a new one replaces it. */
export class BrokerConnection {
  readonly #engine: EngineConnection;
  readonly #onEnd: () => void;
  readonly #opening: Promise<void>;
  readonly #requestTimeout: number;
  /** How long the first response may take: a socket that accepts and never answers is as good as none. */
  readonly #openTimeout: number;
  readonly #pending = new Pending();
  #sending = 0;
  /** Resolves when the broker takes requests again, if it has said that it does not. */
  #throttled: Promise<void> | undefined;
  #versions: ProtocolVersions = {};
  #ended = false;
  #wasOpen = false;

  constructor(host: string, port: number, settings: ClientSettings, onEnd: () => void) {
    const { clientId, requestTimeout, connectTimeout, sasl, tls, route, engine } = settings;
    this.#onEnd = onEnd;
    this.#requestTimeout = requestTimeout;
    this.#openTimeout = Math.min(connectTimeout, requestTimeout);
    const target = { ...route(host, port), clientId, connectTimeout, sasl, tls: tls && withServerName(tls, host) };
    this.#engine = engine(target, () => this.#closed());
    this.#opening = this.#within(connectTimeout + requestTimeout, "Connecting took more than", this.#open());
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
    return this.#wasOpen && this.#sending === 0;
  }

  /** The protocol versions that the broker supports; empty until the connection is open. */
  get versions(): ProtocolVersions {
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
    return this.#sent(async () => {
      const { key, definition } = definitionOf(api);
      const { request, response, requestTimeout } = protocol.lookup(this.#versions)(key, definition)(parameters);
      const version = request.apiVersion;
      const encoded = body ?? (await request.encode()).buffer;
      const raw = await this.#answer({ api, key, version, body: encoded }, requestTimeout);
      if (decode !== undefined) return decode(raw, version);
      const decoded = (await response.decode(raw)) as T & { readonly clientSideThrottleTime?: number };
      this.#throttle(decoded.clientSideThrottleTime ?? 0);
      return decoded;
    });
  }

  /** Sends a request of a version that kafkajs does not know. */
  async sendEncoded<T>(api: string, version: number, body: Buffer, decode: (raw: Buffer) => T): Promise<T> {
    const key = keyOf(api);
    return this.#sent(async () => decode(await this.#answer({ api, key, version, body })));
  }

  /** Closes the connection, even while it opens; whatever waits for it rejects at once. */
  end(): void {
    this.#lost(connectionLost());
  }

  async #open(): Promise<void> {
    try {
      await this.#engine.connect();
      this.#versions = await this.#askVersions();
      await this.#engine.login(this.#versions);
      this.#wasOpen = !this.#ended;
    } catch (error) {
      this.#lost(kafkaErrorOf(error));
      throw error;
    }
  }

  async #askVersions(): Promise<ProtocolVersions> {
    const { key, definition } = definitionOf("ApiVersions");
    const { request, response } = definition.protocol({ version: 1 })({});
    const { buffer: body } = await request.encode();
    const asked = this.#engine.send({ api: "ApiVersions", key, version: 1, body });
    const raw = await this.#within(
      this.#openTimeout,
      "The broker accepted the connection and did not answer for",
      asked,
    );
    const { apiVersions } = (await response.decode(raw)) as {
      apiVersions: readonly { apiKey: number; minVersion: number; maxVersion: number }[];
    };
    return Object.fromEntries(apiVersions.map((each) => [each.apiKey, each]));
  }

  /** Runs what sends a request, once the broker takes requests. */
  async #sent<T>(action: () => Promise<T>): Promise<T> {
    this.#sending += 1;
    try {
      await this.#opening;
      while (this.#throttled !== undefined) await this.#throttled;
      return await action();
    } catch (error) {
      const known = kafkaErrorOf(error);
      if (known.type === "CONNECTION") this.end();
      throw known;
    } finally {
      this.#sending -= 1;
    }
  }

  #answer(request: EncodedRequest, limit = 0): Promise<Buffer> {
    if (this.#ended) throw connectionLost();
    const answer = this.#engine.send(request);
    return this.#within(Math.max(limit, this.#requestTimeout), `${request.api} was not answered within`, answer);
  }

  #within<T>(limit: number, what: string, answer: Promise<T>): Promise<T> {
    // While it opens, that it was late is why it could not be opened.
    return this.#pending.within(limit, what, answer, (late) => this.#lost(this.#wasOpen ? connectionLost() : late));
  }

  /** Sends nothing for so long: the broker would not read it, and its time limit would run. */
  #throttle(milliseconds: number): void {
    if (milliseconds <= 0) return;
    const over = () => {
      if (this.#throttled === throttled) this.#throttled = undefined;
    };
    const throttled = this.#pending.pause(Math.min(milliseconds, this.#requestTimeout)).finally(over);
    throttled.catch(() => {});
    this.#throttled = throttled;
  }

  /** The engine's connection has been closed. Why it could not be opened, if that is so, is known within this turn. */
  #closed(): void {
    if (this.#wasOpen) this.end();
    else setImmediate(() => this.end());
  }

  #lost(error: KafkaError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#engine.destroy();
    this.#pending.end(error);
    this.#onEnd();
  }
}

function definitionOf(api: string) {
  const definition = protocol.requests[api];
  if (definition === undefined) throw new Error(`unknown request ${api}`);
  return { key: keyOf(api), definition };
}

function keyOf(api: string): number {
  const key = apiKeys[api];
  if (key === undefined) throw new Error(`unknown request ${api}`);
  return key;
}

function connectionLost(): KafkaError {
  return new KafkaError("CONNECTION", "The connection was lost.", true);
}

/** The name that the broker's certificate must carry, whatever the address that leads to it. */
function withServerName(tls: TlsOptions, name: string): ConnectionOptions {
  return { ...(isIP(name) === 0 ? { servername: name } : {}), ...tls } as ConnectionOptions;
}
