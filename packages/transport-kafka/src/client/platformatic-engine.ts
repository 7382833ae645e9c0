import type { Connection as LibraryConnection, SASLOptions as LibrarySasl } from "@platformatic/kafka";
import { KafkaError } from "../wire/kafka-error.ts";
import { type EncodedRequest, type Engine, type EngineConnection, type EngineTarget, KEEP_ALIVE_MS } from "./engine.ts";
import { assertAccepted, validToken } from "./oauth-bearer.ts";
import type { SaslOptions } from "./options.ts";
import { platformaticErrorOf } from "./platformatic-errors.ts";

type Library = typeof import("@platformatic/kafka");

/** Time limits are the transport's: the library has one for all requests, too short for a group that rebalances. */
const NO_TIMEOUT_MS = 2 ** 31 - 1;

/** Connections of `@platformatic/kafka`. */
export function platformaticEngine(library: Library): Engine {
  return (target, onEnd) => new Connection(library, target, onEnd);
}

class Connection implements EngineConnection {
  readonly #library: Library;
  readonly #target: EngineTarget;
  readonly #connection: LibraryConnection;
  readonly #login: Login | undefined;
  /** Settles when the library has logged in again, while it does. */
  #loggingIn: Promise<unknown> | undefined;
  #destroyed = false;

  constructor(library: Library, target: EngineTarget, onEnd: () => void) {
    const { clientId, connectTimeout, sasl, tls } = target;
    this.#library = library;
    this.#target = target;
    this.#login = sasl === undefined ? undefined : loginOf(sasl);
    this.#connection = new library.Connection(clientId, {
      connectTimeout,
      requestTimeout: NO_TIMEOUT_MS,
      maxInflights: Number.POSITIVE_INFINITY,
      ...(tls === undefined ? {} : { tls }),
      ...(this.#login === undefined ? {} : { sasl: this.#login.options }),
    });
    // An error comes before the end of the connection, or `connect` rejects with it.
    this.#connection.on("error", () => {});
    this.#connection.on("close", onEnd);
    this.#holdWhileLoggingIn();
  }

  async connect(): Promise<void> {
    await this.#login?.prepare();
    if (this.#destroyed) throw new KafkaError("CONNECTION", "The connection was lost.", true);
    const { host, port, sasl } = this.#target;
    try {
      const connecting = this.#connection.connect(host, port);
      this.#connection.socket.setKeepAlive(true, KEEP_ALIVE_MS);
      await connecting;
    } catch (error) {
      throw platformaticErrorOf(error, sasl?.mechanism);
    }
  }

  /** The library logs in while it connects, and again before the login expires. */
  async login(): Promise<void> {}

  async send(request: EncodedRequest): Promise<Buffer> {
    while (this.#loggingIn !== undefined) await this.#loggingIn;
    return this.#sendNow(request);
  }

  #sendNow({ key, version, body }: EncodedRequest): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      this.#connection.send(
        key,
        version,
        () => this.#library.Writer.create().append(body),
        (_correlation, _key, _version, reader) => reader.buffer.slice(),
        false,
        false,
        (error, response) => {
          if (response === undefined) reject(platformaticErrorOf(error));
          else resolve(response);
        },
      );
    });
  }

  /** Before a login expires the library logs in again, and goes on sending, which the broker refuses meanwhile. */
  #holdWhileLoggingIn(): void {
    const connection = this.#connection;
    const again = connection.reauthenticate.bind(connection);
    connection.reauthenticate = () => {
      this.#loggingIn = new Promise<void>((resolve) => {
        const over = () => {
          connection.off("sasl:authentication:extended", over).off("close", over);
          this.#loggingIn = undefined;
          resolve();
        };
        connection.on("sasl:authentication:extended", over).on("close", over);
      });
      again();
    };
  }

  destroy(): void {
    this.#destroyed = true;
    // It stops the timer for the next login, and waits for the socket to be written out.
    this.#connection.close(() => {});
    this.#connection.socket?.destroy();
  }
}

interface Login {
  readonly options: LibrarySasl;
  /** Obtains what may take long, or fail, before the connection is opened. */
  prepare(): Promise<void>;
}

function loginOf(sasl: SaslOptions): Login {
  if (sasl.mechanism !== "oauthbearer") {
    const mechanism = sasl.mechanism.toUpperCase() as "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512";
    return { options: { ...sasl, mechanism }, prepare: async () => {} };
  }
  let first: string | undefined;
  const token = () => {
    const taken = first ?? validToken(sasl.token);
    first = undefined;
    return taken;
  };
  const options: LibrarySasl = {
    mechanism: "OAUTHBEARER",
    token,
    oauthBearerExtensions: { ...sasl.extensions },
    authBytesValidator: (bytes, callback) => {
      try {
        assertAccepted(bytes.toString());
        callback(null, bytes);
      } catch (error) {
        callback(error as Error);
      }
    },
  };
  return {
    options,
    prepare: async () => {
      first = await validToken(sasl.token);
    },
  };
}
