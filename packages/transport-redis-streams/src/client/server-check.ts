import type { Logger } from "@papa-events/core/transport";
import type { Cluster, Redis } from "ioredis";
import { isReply, unsupported } from "./errors.ts";
import type { Target } from "./options.ts";

/** Scripts that read the clock and write need 7.0; Valkey tells 7.2 as its version of Redis and its own beside it. */
const LEAST_VERSION = 7;

/**
 * Checks that the server can keep the contract (L4): throws where it cannot, warns where it does by its settings less
 * than one may expect.
 *
 * @throws PapaError `unsupported-broker`
 */
export async function checkServer(client: Redis | Cluster, target: Target, logger: Logger): Promise<void> {
  const { address } = target;
  const info = await infoOf(client, address, logger);
  if (info === undefined) return;
  const version = info.get("redis_version") ?? "";
  if (!(Number.parseInt(version, 10) >= LEAST_VERSION))
    throw unsupported(`The server at ${address} is version ${version || "unknown"}; 7.0 or newer is needed`);
  const role = info.get("role");
  if (role === "slave" && !client.isCluster)
    throw unsupported(`The server at ${address} is a replica, which takes no writes; connect to its primary`);
  const policy = info.get("maxmemory_policy") ?? "noeviction";
  if (policy.startsWith("allkeys"))
    throw unsupported(
      `The server at ${address} may throw events away when its memory is full (maxmemory-policy ${policy}); set it to noeviction`,
    );
  if (policy !== "noeviction")
    logger.warn(
      { address, policy },
      "The maxmemory-policy is not noeviction. Events are safe as long as no key of theirs gets an expiry.",
    );
  if (info.get("aof_enabled") === "0")
    logger.warn(
      { address },
      "The server keeps no append-only file: what was published since its last snapshot is lost when it stops. Set appendonly yes.",
    );
  else if (info.get("aof_last_write_status") === "err")
    logger.warn({ address }, "The server cannot write its append-only file; look at its disk.");
  if (target.durability === "replicated" && info.get("connected_slaves") === "0")
    logger.warn({ address }, "No replica is connected, and publishing waits for one (durability: replicated).");
}

/** `INFO`, or nothing where the account may not ask. */
async function infoOf(
  client: Redis | Cluster,
  address: string,
  logger: Logger,
): Promise<ReadonlyMap<string, string> | undefined> {
  let text: string;
  try {
    text = await client.info();
  } catch (error) {
    if (!isReply(error) || !error.message.startsWith("NOPERM")) throw error;
    logger.warn({ address }, "The account may not call INFO: the server's version and settings are not checked.");
    return undefined;
  }
  const lines = text.split("\r\n").map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1)];
  });
  return new Map(lines);
}
