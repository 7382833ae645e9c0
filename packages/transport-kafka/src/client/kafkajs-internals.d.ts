/**
 * What this package uses of kafkajs 2.2.4 below its public surface: its connections and its protocol codecs.
 * The version is pinned. Only this folder and the error codes in `wire/` use it.
 */
declare module "kafkajs/src/network/connection.js" {
  import type { Socket } from "node:net";

  interface ProtocolRequest {
    readonly request: object;
    readonly response: { decode(raw: Buffer): Promise<Buffer>; parse(data: Buffer): Promise<Buffer> };
    readonly logResponseError?: boolean;
  }

  export default class Connection {
    constructor(options: object);
    readonly requestQueue: { scheduleCheckPendingRequests(): void };
    socket?: Socket;
    connectionStatus: string;
    connect(): Promise<unknown>;
    setVersions(versions: object): void;
    setSupportAuthenticationProtocol(supported: boolean): void;
    authenticate(): Promise<void>;
    send(request: ProtocolRequest): Promise<Buffer>;
    rejectRequests(error: Error): void;
  }
}

declare module "kafkajs/src/protocol/requests/index.js" {
  interface Definition {
    readonly versions: string[];
    protocol(options: { version: number }): (parameters: object) => {
      request: { readonly apiVersion: number; encode(): Promise<{ readonly buffer: Buffer }> };
      response: { decode(raw: Buffer): Promise<unknown> };
      requestTimeout?: number;
    };
  }
  const exported: {
    requests: Readonly<Record<string, Definition>>;
    lookup(versions: object): (apiKey: number, definition: Definition) => ReturnType<Definition["protocol"]>;
  };
  export default exported;
}

declare module "kafkajs/src/protocol/requests/apiKeys.js" {
  const apiKeys: Readonly<Record<string, number>>;
  export default apiKeys;
}

declare module "kafkajs/src/protocol/error.js" {
  const exported: { createErrorFromCode(code: number): Error & { type: string; code: number; retriable: boolean } };
  export default exported;
}

declare module "kafkajs/src/loggers/index.js" {
  const exported: {
    LEVELS: Readonly<Record<"NOTHING" | "ERROR" | "WARN" | "INFO" | "DEBUG", number>>;
    createLogger(options: { level: number; logCreator: (level: number) => (entry: object) => void }): object;
  };
  export default exported;
}

declare module "kafkajs/src/consumer/assignerProtocol.js" {
  const exported: {
    MemberMetadata: {
      encode(metadata: { version: number; topics: readonly string[]; userData?: Buffer }): Buffer;
      decode(buffer: Buffer): { version: number; topics: string[]; userData: Buffer | null };
    };
    MemberAssignment: {
      encode(assignment: { version: number; assignment: Record<string, number[]>; userData?: Buffer }): Buffer;
      decode(buffer: Buffer): { version: number; assignment: Record<string, number[]>; userData: Buffer | null } | null;
    };
  };
  export default exported;
}
