/** A process that shows what is published, for tests to kill, run from the built packages. */
import { redisStreams } from "@papa-events/transport-redis-streams";

const [uri = ""] = process.argv.slice(2);
const nothing = () => {};
const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };
const { administration } = await redisStreams(uri).connect({
  appName: "tail",
  logger,
  operator: true,
  maxHeldBytes: 1_048_576,
  onStatus: nothing,
  onProblem: nothing,
});
await administration?.tail(["#"], {
  onEvent: ({ text }) => void process.stdout.write(`shown ${text}\n`),
  onDropped: nothing,
  onEnd: nothing,
});
process.stdout.write("open\n");
