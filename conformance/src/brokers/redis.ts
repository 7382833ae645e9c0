import type { BrokerSpec, DebianRelease } from "./spec.ts";

/** The versions that tests run on; Valkey by its own name, and a cluster of one node, whose slots the test assigns. */
const VERSIONS = {
  "7.0": { kind: "redis", release: "bookworm" },
  "8.0": { kind: "redis", release: "trixie" },
  "valkey-8.1": { kind: "valkey", release: "trixie" },
  "8.0-cluster": { kind: "redis", release: "trixie" },
} as const satisfies Record<string, { kind: string; release: DebianRelease }>;

export type RedisVersion = keyof typeof VERSIONS;

export function redisSpec(asked: RedisVersion): BrokerSpec {
  const { kind, release } = VERSIONS[asked];
  const version = asked.replace("valkey-", "");
  const image = kind === "valkey" ? `valkey/valkey:${version}` : `redis:${version.replace("-cluster", "")}`;
  // As the contract needs it: nothing evicted, every write on disk within a second.
  const settings = ["--appendonly", "yes", "--save", "", "--maxmemory-policy", "noeviction"];
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
      release,
      run: (folder, [port = 0, bus = 0]) => ({
        command: `/usr/bin/${kind}-server`,
        args: ["--bind", "127.0.0.1", "--port", String(port), "--dir", folder, ...settings, ...ofBus(bus)],
      }),
    },
  };
}
