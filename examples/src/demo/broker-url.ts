import { randomBytes } from "node:crypto";

/** The URL with a namespace that no other run uses, unless it names one; a broker in memory is this run's anyway. */
export function withOwnNamespace(url: string): string {
  if (url.startsWith("memory:") || /[?&]prefix=/.test(url)) return url;
  return `${url}${url.includes("?") ? "&" : "?"}prefix=demo-${randomBytes(4).toString("hex")}`;
}

/** The URL as it may be shown: nothing but the addresses and the namespace, since the rest may hold secrets. */
export function shownUrl(url: string): string {
  const prefix = /[?&]prefix=([^&]*)/.exec(url)?.[1];
  const address = url.replace(/\?.*$/s, "").replace(/\/\/.*@/s, "//");
  return prefix === undefined ? address : `${address} (prefix ${prefix})`;
}
