/**
 * Every error code of the library with the details that travel with it. Codes are stable: they may be added,
 * never renamed. Transports use them too, so that one `switch` serves every broker.
 */
export interface PapaErrorDetails {
  /** An event name outside the grammar of the contract. */
  "invalid-event-name": { readonly name: string; readonly problem: string };
  /** A pattern outside the grammar of the contract, or none at all. */
  "invalid-pattern": { readonly pattern: string; readonly problem: string };
  /** A use-case name that is malformed or reserved. */
  "invalid-use-case": { readonly useCase: string; readonly problem: string };
  /** A use case that exists neither in this app nor on the broker. */
  "unknown-use-case": { readonly useCase: string };
  /** Two use cases of one name in one app. */
  "duplicate-use-case": { readonly useCase: string };
  /** An option of the wrong type or out of range; `option` is its path, such as `useCase "log": retries`. */
  "invalid-option": { readonly option: string; readonly problem: string };
  /** A payload that its schema refuses; `problems` has a line per issue of the schema. */
  "invalid-payload": { readonly eventName: string; readonly problems: readonly string[] };
  /** A schema that answers with neither a value nor issues. */
  "invalid-schema": { readonly problem: string };
  /** What a handler returned cannot be published. */
  "invalid-output": { readonly useCase: string; readonly problem: string };
  /** A user header whose name or value cannot travel on every broker. */
  "invalid-headers": { readonly header: string; readonly problem: string };
  /** User headers of more bytes than every broker carries. */
  "headers-too-large": { readonly bytes: number; readonly limit: number };
  /** A payload that JSON cannot carry. */
  "payload-not-json": { readonly eventName: string; readonly problem: string };
  /** A payload of more than `maxPayloadBytes` bytes of JSON. */
  "payload-too-large": { readonly eventName: string; readonly bytes: number; readonly limit: number };
  /** An event that is not in the app's catalogue. */
  "unknown-event": { readonly eventName: string };
  /** A second `start()`, or a use case added after it. */
  "already-started": { readonly state: string };
  /** A call that needs a running app. */
  "not-started": { readonly operation: string };
  /** A call to an app that has been stopped. */
  stopped: { readonly operation: string };
  /** The broker did not take the event in time; whether it has it is unknown, and sending it again with the same `id` is safe. */
  "publish-timeout": { readonly eventName: string; readonly id: string; readonly timeout: number };
  /** Of several events only some were confirmed; `failed` lists the others by their place in the list. */
  "publish-incomplete": {
    readonly confirmed: number;
    readonly failed: readonly {
      readonly index: number;
      readonly id: string;
      readonly name: string;
      readonly error: Error;
    }[];
  };
  /** The broker cannot be reached, or the connection was lost for good. */
  "connection-failed": { readonly transport: string; readonly address?: string | undefined };
  /** The broker refuses the credentials, or the account lacks a permission. */
  "access-refused": { readonly transport: string; readonly address?: string | undefined };
  /** Something of the same name exists on the broker with other properties. */
  "topology-conflict": { readonly object: string; readonly difference: string };
  /** A broker version or setting on which the contract cannot be kept. */
  "unsupported-broker": { readonly transport: string; readonly problem: string };
  /** A URL whose scheme names no transport. */
  "unknown-scheme": { readonly scheme: string; readonly known: readonly string[] };
  /** The package of a URL's scheme is not installed. */
  "transport-not-installed": { readonly scheme: string; readonly package: string };
  /** A handler that ran longer than its `timeout`. */
  "handler-timeout": { readonly useCase: string; readonly timeout: number };
  /** An event that is no longer this instance's, while its handler runs: it is handed out again. */
  "event-lost": { readonly eventId: string; readonly useCase: string };
  /** An event whose handler's process died again and again. */
  "crash-loop": { readonly useCase: string; readonly crashes: number };
  /** An event that no use case of the namespace wants, in an app with `unwanted: "refuse"`. */
  "unwanted-event": { readonly eventName: string; readonly nearest?: string | undefined };
}

/** A stable error code. */
export type PapaErrorCode = keyof PapaErrorDetails;
