import type { PapaError } from "@papa-events/core";
import type { Logger } from "@papa-events/core/transport";
import type { Cluster, Redis } from "ioredis";
import { isReply, unsupportedBroker } from "./errors.ts";
import type { Target } from "./options.ts";

/** Scripts that read the clock and write need 7.0. Valkey reports 7.2 as its version of Redis, and its own beside it. */
export const MIN_VERSION = 7;

/**
 * Checks the server's version and settings (L4). Throws where the server cannot keep the contract, and warns where its
 * settings make it keep less than one would expect.
 *
 * @param refuse called with an error for what cannot be kept; throws it unless set
 * @throws PapaError `unsupported-broker`
 */
export async function checkServer(
  client: Redis | Cluster,
  target: Target,
  logger: Logger,
  refuse = (error: PapaError): void => {
    throw error;
  },
): Promise<void> {
  const { address } = target;
  const info = await readInfo(client, address, logger);
  if (info === undefined) return;
  const version = info.get("redis_version") ?? "";
  if (!(Number.parseInt(version, 10) >= MIN_VERSION))
    refuse(unsupportedBroker(`The server at ${address} is version ${version || "unknown"}; 7.0 or newer is needed`));
  const role = info.get("role");
  if (role === "slave" && !client.isCluster)
    throw unsupportedBroker(`The server at ${address} is a replica, which takes no writes; connect to its primary`);
  const policy = info.get("maxmemory_policy") ?? "noeviction";
  if (policy.startsWith("allkeys"))
    refuse(
      unsupportedBroker(
        `The server at ${address} may evict events when its memory is full (maxmemory-policy ${policy}); set it to noeviction`,
      ),
    );
  else if (policy !== "noeviction")
    logger.warn(
      { address, policy },
      "The maxmemory-policy is not noeviction. Events are safe as long as none of their keys gets an expiry.",
    );
  if (info.get("aof_enabled") === "0")
    logger.warn(
      { address },
      "The server keeps no append-only file. What was published since its last snapshot is lost when it stops. Set appendonly yes.",
    );
  else if (info.get("aof_last_write_status") === "err")
    logger.warn({ address }, "The server cannot write its append-only file. Check its disk.");
  if (target.durability === "replicated" && info.get("connected_slaves") === "0")
    logger.warn({ address }, "No replica is connected, and publishing waits for one (durability: replicated).");
}

/** Reads `INFO`. Returns nothing where the account may not call it. */
async function readInfo(
  client: Redis | Cluster,
  address: string,
  logger: Logger,
): Promise<ReadonlyMap<string, string> | undefined> {
  try {
    return parseInfo(await client.info());
  } catch (error) {
    if (!isReply(error) || !error.message.startsWith("NOPERM")) throw error;
    logger.warn({ address }, "The account may not call INFO. The server's version and settings are not checked.");
    return undefined;
  }
}

/** Reads the reply of `INFO`. */
export function parseInfo(text: string): ReadonlyMap<string, string> {
  const lines = text.split("\r\n").map((line): [string, string] => {
    const colon = line.indexOf(":");
    return [line.slice(0, colon), line.slice(colon + 1)];
  });
  return new Map(lines);
}
