import { randomBytes } from "node:crypto";

/** The URL with a namespace that no other run uses, unless it names one; a broker in memory is this run's anyway. */
export function withOwnNamespace(url: string): string {
  if (isInMemory(url) || hasNamespace(url)) return url;
  return `${url}${url.includes("?") ? "&" : "?"}prefix=demo-${randomBytes(4).toString("hex")}`;
}

export function hasNamespace(url: string): boolean {
  return /[?&]prefix=/.test(url);
}

/** Whether the broker ends with this process. */
export function isInMemory(url: string): boolean {
  return url.startsWith("memory:");
}

/** The URL as it may be shown: nothing but the addresses and the namespace, since the rest may hold secrets. */
export function shownUrl(url: string): string {
  const prefix = /[?&]prefix=([^&]*)/.exec(url)?.[1];
  const address = url.replace(/\?.*$/s, "").replace(/\/\/.*@/s, "//");
  return prefix === undefined ? address : `${address} (prefix ${prefix})`;
}

/** The URL for a command that somebody copies: only its addresses, path and namespace, and a place for what may be secret. */
export function copiedUrl(url: string): string {
  const [, scheme = "", user, rest = ""] = /^([^:]+:\/\/)(.*@)?([^?]*)/s.exec(url) ?? [];
  const prefix = /[?&]prefix=([^&]*)/.exec(url)?.[1];
  return `${scheme}${user === undefined ? "" : "USER:PASSWORD@"}${rest}${prefix === undefined ? "" : `?prefix=${prefix}`}`;
}
