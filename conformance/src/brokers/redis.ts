import type { BrokerSpec, DebianSource } from "./spec.ts";

/** Redis 8.6 is in no release of Debian yet. */
const EXPERIMENTAL = { suite: "experimental", packages: ["redis-server=5:8.6.*", "redis-tools=5:8.6.*"] };

/** The versions that tests run on; Valkey by its own name, and a cluster of one node, whose slots the test assigns. */
const VERSIONS = {
  "7.0": { kind: "redis", from: { release: "bookworm" } },
  "8.0": { kind: "redis", from: { release: "trixie" } },
  "8.0-cluster": { kind: "redis", from: { release: "trixie" } },
  "8.6": { kind: "redis", from: { release: "forky", newer: EXPERIMENTAL } },
  "8.6-cluster": { kind: "redis", from: { release: "forky", newer: EXPERIMENTAL } },
  "valkey-8.1": { kind: "valkey", from: { release: "trixie" } },
  "valkey-9.1": { kind: "valkey", from: { release: "forky" } },
} as const satisfies Record<string, { kind: string; from: Pick<DebianSource, "release" | "newer"> }>;

/** As the contract needs it: nothing evicted, every write on disk within a second. */
const SETTINGS = { appendonly: "yes", save: '""', "maxmemory-policy": "noeviction" };

export type RedisVersion = keyof typeof VERSIONS;

export function redisSpec(asked: RedisVersion): BrokerSpec {
  const { kind, from } = VERSIONS[asked];
  const version = asked.replace("valkey-", "");
  const number = version.replace("-cluster", "");
  const image = kind === "valkey" ? `valkey/valkey:${number}` : `redis:${number}`;
  const settings = Object.entries(SETTINGS).flatMap(([name, value]) => [`--${name}`, value.replace('""', "")]);
  const cluster = version.endsWith("-cluster");
  if (cluster) settings.push("--cluster-enabled", "yes", "--cluster-announce-ip", "127.0.0.1");
  // By default a cluster's node takes the port 10,000 above its own for its bus, free or not.
  const ofBus = (bus: number) => (cluster ? ["--cluster-port", String(bus)] : []);
  return {
    kind,
    version,
    uri: (host, port) => `redis://${host}:${port}`,
    hello: Buffer.from("PING\r\n"),
    // While it loads its data it answers "-LOADING".
    serves: (answer) => answer.toString().startsWith("+PONG"),
    docker: { image, port: 6_379, command: () => [`${kind}-server`, "--protected-mode", "no", ...settings] },
    native: {
      from: "tree",
      source: { ...from, package: `${kind}-server`, version: number },
      run: (folder, [port = 0, bus = 0]) => ({
        command: `/usr/bin/${kind}-server`,
        args: ["--bind", "127.0.0.1", "--port", String(port), "--dir", folder, ...settings, ...ofBus(bus)],
      }),
    },
  };
}

/** A replica that joins gets all at once, not after the 5 s in which others might join too: until then it could not take over. */
const REPLICATED = { "repl-diskless-sync-delay": "0" };

/** The same server at an address of its own, with more settings, in a file that it can rewrite when they change. */
export function withSettings(spec: BrokerSpec, host: string, more: Readonly<Record<string, string>>): BrokerSpec {
  const { native, kind } = spec;
  if (native.from !== "tree") throw new Error("a server of a cluster runs natively only");
  return {
    ...spec,
    native: {
      ...native,
      run: (folder: string, [port = 0]: readonly number[]) => {
        const all = {
          ...SETTINGS,
          ...REPLICATED,
          bind: host,
          port: String(port),
          dir: folder,
          "protected-mode": "no",
          ...more,
        };
        const lines = Object.entries(all).map(([name, value]) => `${name} ${value}\n`);
        return {
          command: `/usr/bin/${kind}-server`,
          args: [`${folder}/server.conf`],
          files: { "server.conf": lines.join("") },
        };
      },
    },
  };
}
