/** One node of a broker. */
export interface Address {
  readonly hostname: string;
  readonly port: number;
}

/** A URL, taken apart. */
export interface BrokerUrl {
  readonly protocol: "amqp" | "amqps";
  readonly username: string;
  readonly password: string;
  readonly addresses: readonly Address[];
  readonly vhost: string;
  readonly parameters: URLSearchParams;
}

/**
 * What is wrong with a URL, without any part of it: whatever stands where may belong to a password.
 */
export class InvalidUrl extends Error {}

const FORM = "amqp://user:password@host:port,host:port/vhost";
const ENCODE =
  'a special character in the user, the password or the virtual host must be percent-encoded ("@" is %40, "/" %2F, "?" %3F, "#" %23)';
const PORTS = { amqp: 5672, amqps: 5671 } as const;

/**
 * Takes a URL apart, which may name several hosts:
 *
 *     url     = ("amqp" / "amqps") "://" [user [":" password] "@"] host *("," host) ["/" vhost] ["?" parameters]
 *     host    = (name / "[" IPv6 "]") [":" port]
 *
 * `URL` itself knows one host only, and takes an "@", "/", "?" or "#" inside a password for the end of something.
 *
 * @throws InvalidUrl
 */
export function parseBrokerUrl(text: string): BrokerUrl {
  const parts = /^(amqps?):\/\/([^/?#]*)(?:\/([^?#]*))?(?:\?([^#]*))?$/i.exec(text.trim());
  const [, scheme, authority = "", path = "", query = ""] = parts ?? [];
  if (scheme === undefined) throw new InvalidUrl(`it is not of the form ${FORM}; ${ENCODE}`);
  const protocol = scheme.toLowerCase() === "amqps" ? "amqps" : "amqp";
  const at = authority.lastIndexOf("@");
  const user = authority.slice(0, Math.max(at, 0));
  // In its place each of these is rare, and in most cases ends a password too early.
  if (user.includes("@") || path.includes("@") || query.includes("@") || path.includes("/"))
    throw new InvalidUrl(ENCODE);
  const colon = user.indexOf(":");
  const [username, password] = colon < 0 ? [user, ""] : [user.slice(0, colon), user.slice(colon + 1)];
  const anonymous = at < 0 || user === "" || user === ":";
  return {
    protocol,
    username: anonymous ? "guest" : decode(username),
    password: anonymous ? "guest" : decode(password),
    addresses: authority
      .slice(at + 1)
      .split(",")
      .map((host) => parseHost(host.trim(), PORTS[protocol])),
    vhost: path === "" ? "/" : decode(path),
    parameters: new URLSearchParams(query),
  };
}

/** Writes a host and its port as in a URL. */
export function showAddress({ hostname, port }: Address): string {
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}

function parseHost(text: string, usualPort: number): Address {
  const [, name = "", port] = /^(\[[\da-f:.%a-z]+\]|[^\s:,[\]%]+)(?::(\d{1,5}))?$/i.exec(text) ?? [];
  const number = port === undefined ? usualPort : Number(port);
  if (name === "" || number < 1 || number > 65_535)
    throw new InvalidUrl(`a host and its port are not of the form ${FORM}; ${ENCODE}`);
  return { hostname: name.replace(/^\[|\]$/g, ""), port: number };
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw new InvalidUrl('a "%" in it is not followed by two hex digits; write "%25" for the sign itself');
  }
}
