/** A process that redrives all dead letters of the use case "uc", for tests to kill, run from the built packages. */
import { deadLetters } from "@papa-events/core";
import { redisStreams } from "@papa-events/transport-redis-streams";

const [uri = ""] = process.argv.slice(2);
const letters = deadLetters(redisStreams(uri), "uc");
process.stdout.write(`redriven ${await letters.redrive("all")}\n`);
await letters.close();
