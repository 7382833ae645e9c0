import type { Redis } from "ioredis";

/** Into how many looks the limit is divided. */
const LOOKS = 10;
/** What the operating system has taken may still be on its way: it has so long for a mebibyte, and for all of it. */
const MS_PER_MIB = 1_000;
const MAX_ON_ITS_WAY_MS = 8_000;

/**
 * Ends connections of a client on which the server owes a reply and is silent for too long. While a command is still on its
 * way it owes none, however long that takes on a slow line, as long as it gets on. So ioredis's own `socketTimeout` will not do:
 * one large event would never get through.
 *
 * @param limit milliseconds
 */
export function limitSilence(client: Redis, limit: number): void {
  client.on("connect", () => watch(client, limit));
}

function watch(client: Redis, limit: number): void {
  const { stream } = client;
  let heard = performance.now();
  let looked = heard;
  let bytesRead = 0;
  /** How many bytes had been sent when the server was last heard of. */
  let bytesSent = 0;
  /** Whether nothing has moved for as long as the limit, in either direction. */
  let stuck = false;
  // Node.js sees how much of a write the system has taken, which nothing else tells.
  stream.setTimeout(limit, () => {
    stuck = true;
  });
  const timer = setInterval(() => {
    const present = performance.now();
    // Where the process itself stood still, what has arrived meanwhile is yet to be read.
    const stoodStill = present - looked > (3 * limit) / LOOKS;
    const isSending = stream.writableLength > 0;
    const isQuiet = client.commandQueue.length > 0 && stream.bytesRead === bytesRead && !stoodStill;
    looked = present;
    bytesRead = stream.bytesRead;
    if (!isQuiet) stuck = false;
    if (!isQuiet) bytesSent = stream.bytesWritten;
    const onItsWay = Math.min(MAX_ON_ITS_WAY_MS, ((stream.bytesWritten - bytesSent) / 1_048_576) * MS_PER_MIB);
    if (!isQuiet || (isSending && !stuck)) heard = present;
    else if (stuck ? isSending || present - heard >= onItsWay : present - heard >= limit + onItsWay)
      stream.destroy(new Error(`The server has been silent for ${Math.round(limit / 1_000)} s.`));
  }, limit / LOOKS);
  timer.unref();
  stream.once("close", () => clearInterval(timer));
}
