import type { Finding } from "@papa-events/core/transport";
import { isReply } from "../../client/errors.ts";
import { MIN_VERSION, parseInfo } from "../../client/server-check.ts";
import { lookAtServer } from "../../scripts/look-at-server.ts";
import type { DiagnosisOptions } from "../diagnose.ts";

/** From which part of a limit on a warning is due. */
const NEARLY = 0.8;
/** How far clocks may be apart. */
const MAX_CLOCK_DIFFERENCE_MS = 5_000;
/** How long a replica may be silent, in seconds. */
const MAX_REPLICA_SILENCE = 10;

type Info = ReadonlyMap<string, string>;

/** What is to be said of the server that has the namespace: its version, settings, memory, disk, replicas and clock. */
export async function serverFindings({ target, keys, connection }: DiagnosisOptions): Promise<readonly Finding[]> {
  const { address } = target;
  const sent = Date.now();
  let reply: readonly [string, number];
  try {
    reply = (await connection.run(lookAtServer, [keys.version], [])) as typeof reply;
  } catch (error) {
    if (!isReply(error)) throw error;
    return [
      {
        severity: "info",
        what: `server ${address}: its version, settings, memory and clock cannot be seen`,
        why: "The account may not call INFO.",
        remedy: "ACL SETUSER <account> +info +time",
      },
    ];
  }
  const received = Date.now();
  const [text, time] = reply;
  const info = parseInfo(text);
  const config = await readConfig(connection.client);
  return [
    ...ofVersion(info, address),
    ...ofMemory(info, address),
    ...ofDisk(info, config, address),
    ...ofReplicas(info, config, target.durability, address),
    ...ofClients(info, address),
    ...ofClock(time, sent, received, address),
  ];
}

function* ofVersion(info: Info, address: string): Generator<Finding> {
  const version = info.get("redis_version") ?? "unknown";
  if (!(Number.parseInt(version, 10) >= MIN_VERSION))
    yield {
      severity: "error",
      what: `server ${address}: version ${version}`,
      why: "Apps refuse to start on it: their scripts need 7.0 or newer.",
      remedy: "Upgrade to Redis 7.0 or newer, or Valkey 8 or newer.",
    };
  if (info.get("role") === "slave")
    yield {
      severity: "error",
      what: `server ${address}: it is a replica`,
      why: "It takes no writes, so that apps refuse to start on it.",
      remedy: "Connect to its primary, or by Sentinel.",
    };
}

function* ofMemory(info: Info, address: string): Generator<Finding> {
  const policy = info.get("maxmemory_policy") ?? "noeviction";
  if (policy !== "noeviction")
    yield {
      severity: policy.startsWith("allkeys") ? "error" : "warning",
      what: `server ${address}: maxmemory-policy ${policy}`,
      why: policy.startsWith("allkeys")
        ? "It throws events away when its memory is full. Apps refuse to start on it."
        : "When its memory is full it forgets which publishes were carried out, and one that is sent again may be stored twice.",
      remedy: "CONFIG SET maxmemory-policy noeviction, and the same in its configuration file",
    };
  const evicted = numberOf(info, "evicted_keys");
  if (evicted > 0)
    yield {
      severity: policy === "noeviction" ? "warning" : "error",
      what: `server ${address}: it has evicted ${evicted} keys since it was started`,
      why: "If one was of this namespace, events are lost.",
      remedy: "CONFIG SET maxmemory-policy noeviction; CONFIG RESETSTAT, once that is set, begins the count anew",
    };
  const max = numberOf(info, "maxmemory");
  const limit = max > 0 ? max : numberOf(info, "total_system_memory");
  const used = numberOf(info, "used_memory");
  if (limit > 0 && used >= limit * NEARLY) {
    const isFull = max > 0 && used >= max;
    yield {
      severity: isFull ? "error" : "warning",
      what: `server ${address}: ${Math.round((used / limit) * 100)} % of its memory is used`,
      why: isFull
        ? "It is full: publishing is refused. Handling goes on, and frees memory."
        : "When it is full, publishing is refused; without a maxmemory the operating system may end it before that.",
      remedy:
        "See which use case holds most (papa use-cases), start its apps or purge its dead letters; or raise maxmemory.",
    };
  }
}

function* ofDisk(info: Info, config: Info, address: string): Generator<Finding> {
  if (info.get("loading") === "1")
    yield {
      severity: "error",
      what: `server ${address}: it is loading its data`,
      why: "It serves nobody until it is done.",
      remedy: "Wait.",
    };
  if (info.get("aof_enabled") === "0")
    yield {
      severity: "warning",
      what: `server ${address}: appendonly no`,
      why: "What was published since its last snapshot is lost when it stops.",
      remedy: "CONFIG SET appendonly yes, and the same in its configuration file",
    };
  else if (config.get("appendfsync") === "no")
    yield {
      severity: "warning",
      what: `server ${address}: appendfsync no`,
      why: "A machine that loses its power loses what was published in the last half minute or so.",
      remedy: "CONFIG SET appendfsync everysec",
    };
  if (info.get("aof_last_write_status") === "err")
    yield {
      severity: "error",
      what: `server ${address}: it cannot write its append-only file`,
      why: "It refuses all writes until it can: nothing is published, handled or acknowledged.",
      remedy: "Free or enlarge its disk. It goes on by itself.",
    };
  if (info.get("rdb_last_bgsave_status") === "err")
    yield {
      severity: config.get("stop-writes-on-bgsave-error") === "no" ? "warning" : "error",
      what: `server ${address}: its last snapshot failed`,
      why: "With stop-writes-on-bgsave-error, which is usual, it refuses all writes until one succeeds.",
      remedy: "Look at its log: mostly the disk is full, or there is too little memory to fork.",
    };
}

function* ofReplicas(
  info: Info,
  config: Info,
  durability: DiagnosisOptions["target"]["durability"],
  address: string,
): Generator<Finding> {
  if (info.get("role") === "slave") return;
  const replicas = numberOf(info, "connected_slaves");
  if (durability === "replicated" && replicas === 0)
    yield {
      severity: "error",
      what: `server ${address}: no replica is connected, and durability is "replicated"`,
      why: "Publishing waits for one, and rejects.",
      remedy: "Start a replica, or connect with durability=local.",
    };
  const needed = Number(config.get("min-replicas-to-write") ?? 0);
  if (needed > replicas)
    yield {
      severity: "error",
      what: `server ${address}: ${replicas} replicas are connected, and min-replicas-to-write is ${needed}`,
      why: "It refuses all writes until there are enough.",
      remedy: "Start the replicas that are missing, or lower min-replicas-to-write.",
    };
  for (let index = 0; index < replicas; index += 1) {
    const replica = info.get(`slave${index}`) ?? "";
    const silence = Number(/lag=(\d+)/.exec(replica)?.[1] ?? 0);
    const state = /state=([a-z_]+)/.exec(replica)?.[1] ?? "online";
    if (silence < MAX_REPLICA_SILENCE && state === "online") continue;
    const where = `${/ip=([^,]+)/.exec(replica)?.[1] ?? "?"}:${/port=(\d+)/.exec(replica)?.[1] ?? "?"}`;
    yield {
      severity: "warning",
      what: `replica ${where} of server ${address}: ${state}, silent for ${silence} s`,
      why: "If it took over now, it would lack what was confirmed since.",
      remedy: "Look at the replica and at the network between the two.",
    };
  }
}

function* ofClients(info: Info, address: string): Generator<Finding> {
  const max = numberOf(info, "maxclients");
  const clients = numberOf(info, "connected_clients");
  if (max > 0 && clients >= max * NEARLY)
    yield {
      severity: "warning",
      what: `server ${address}: ${clients} of ${max} clients are connected`,
      why: "Beyond that apps cannot start. An app has a connection for each use case, and three or four more.",
      remedy: "CONFIG SET maxclients <more>, and the same in its configuration file",
    };
}

function* ofClock(time: number, sent: number, received: number, address: string): Generator<Finding> {
  const ahead = time > received ? time - received : Math.min(0, time - sent);
  if (Math.abs(ahead) > MAX_CLOCK_DIFFERENCE_MS)
    yield {
      severity: "warning",
      what: `server ${address}: its clock is ${Math.round(Math.abs(ahead) / 1_000)} s ${ahead > 0 ? "ahead of" : "behind"} this machine's`,
      why: "Delays and leases go by the server's clock alone, but times in events and dead letters are those of the apps.",
      remedy: "Let a time service set the clocks of both machines.",
    };
}

/** What only an administrator may ask; nothing where the account is none, and on a cluster, where any node would answer. */
async function readConfig(client: DiagnosisOptions["connection"]["client"]): Promise<Info> {
  if (client.isCluster) return new Map();
  const names = ["appendfsync", "stop-writes-on-bgsave-error", "min-replicas-to-write"];
  try {
    const replies = await Promise.all(names.map((name) => client.config("GET", name) as Promise<readonly string[]>));
    return new Map(replies.map(([name = "", value = ""]) => [name, value]));
  } catch (error) {
    if (!isReply(error)) throw error;
    return new Map();
  }
}

function numberOf(info: Info, name: string): number {
  return Number(info.get(name) ?? 0);
}
