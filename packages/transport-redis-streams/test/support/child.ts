/**
 * A process for tests to suspend and kill, run from the built packages. It handles events of "x" in the use case "uc",
 * prints when each begins and ends, and returns an output that says who made it.
 */
import { PapaApp } from "@papa-events/core";
import { redisStreams } from "@papa-events/transport-redis-streams";

const [uri = "", pause = "0"] = process.argv.slice(2);
const logger = {
  debug: () => {},
  info: () => {},
  warn: (_: unknown, message?: string) => void process.stdout.write(`warned ${message}\n`),
  error: () => {},
};

const app = new PapaApp({ transport: redisStreams(uri), logger, concurrency: 5 });
app.onEvent("x", { useCase: "uc" }, async (n, ctx) => {
  process.stdout.write(`begun ${n} ${ctx.attempt}\n`);
  await new Promise((resolve) => setTimeout(resolve, Number(pause)));
  process.stdout.write(`ended ${n} ${ctx.attempt}\n`);
  return { name: "out", payload: { of: n, by: "child" } };
});
await app.start();
process.stdout.write("ready\n");
