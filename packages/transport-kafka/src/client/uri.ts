import { invalidOption } from "@papa-events/core/transport";

const DEFAULT_PORT = 9_092;

export interface Address {
  readonly host: string;
  readonly port: number;
}

export interface ParsedUri {
  readonly secure: boolean;
  readonly brokers: readonly Address[];
  readonly username: string;
  readonly password: string;
  readonly query: URLSearchParams;
}

/**
 * Parses a cluster's URL, which unlike a `URL` may name several hosts. No error message contains the text itself: it may
 * hold a password.
 *
 * @throws PapaError `invalid-option`
 */
export function parseUri(uri: string): ParsedUri {
  const parts = /^(kafkas?):\/\/(?:([^@/?]*)@)?([^@/?]+)\/?(?:\?(.*))?$/.exec(uri);
  if (parts === null) {
    const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(uri)?.[1];
    const other = scheme === undefined || /^kafkas?$/.test(scheme) ? "" : `. It begins with "${scheme}:"`;
    const form = "it must have the form kafka://user:password@host:port,host:port?prefix=namespace";
    const hint = "special characters in the user or password must be percent-encoded";
    throw invalidOption("kafka URL", `${form}; ${hint}${other}`);
  }
  const [, scheme, credentials = "", hosts = "", query = ""] = parts;
  const colon = credentials.indexOf(":");
  return {
    secure: scheme === "kafkas",
    brokers: hosts.split(",").map(parseHost),
    username: decode(colon === -1 ? credentials : credentials.slice(0, colon)),
    password: decode(colon === -1 ? "" : credentials.slice(colon + 1)),
    query: new URLSearchParams(query),
  };
}

/** Formats the cluster's address for messages: without user and password. */
export function addressOf({ secure, brokers }: Pick<ParsedUri, "secure" | "brokers">): string {
  const list = brokers.map(({ host, port }) => `${host.includes(":") ? `[${host}]` : host}:${port}`);
  return `${secure ? "kafkas" : "kafka"}://${list.join(",")}`;
}

function parseHost(text: string): Address {
  const parts = /^(?:\[([0-9a-fA-F:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text.trim());
  const host = parts?.[1] ?? parts?.[2];
  const port = parts?.[3] === undefined ? DEFAULT_PORT : Number(parts[3]);
  if (host === undefined || port < 1 || port > 65_535)
    throw invalidOption("kafka URL", `"${text}" is not a valid host or host:port`);
  return { host, port };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalidOption("kafka URL", 'a "%" is not followed by two hex digits; write "%25" for the character itself');
  }
}
