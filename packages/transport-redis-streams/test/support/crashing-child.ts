/**
 * A process with default options, run from the built packages. It dies of events of "x" whose payload is "poison", and
 * prints the payloads of the others that it has handled.
 */
import { PapaApp } from "@papa-events/core";
import { redisStreams } from "@papa-events/transport-redis-streams";

const [uri = ""] = process.argv.slice(2);
const nothing = () => {};
const logger = { debug: nothing, info: nothing, warn: nothing, error: nothing };

const app = new PapaApp({ transport: redisStreams(uri), logger });
app.onEvent("x", { useCase: "uc" }, async (payload) => {
  if (payload === "poison") process.kill(process.pid, "SIGKILL");
  await new Promise((resolve) => setTimeout(resolve, 5));
  process.stdout.write(`handled ${payload}\n`);
});
await app.start();
