/**
 * Runs from the built packages, in a process that tests kill. `consume` handles events and prints each. `poison` does too,
 * and dies of the event 0. `list` lists dead letters again and again. `tail` watches events.
 */
import { deadLetters, PapaApp } from "@papa-events/core";
import { amqp } from "@papa-events/transport-amqp";

const [what, uri = "", pause = "0"] = process.argv.slice(2);
const transport = amqp(uri);
const quiet = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };

if (what === "consume") {
  const app = new PapaApp({ transport, logger: quiet, concurrency: 5 });
  app.onEvent("x", { useCase: "uc" }, async (n, ctx) => {
    await new Promise((resolve) => setTimeout(resolve, Number(pause)));
    process.stdout.write(`handled ${n} ${ctx.attempt}\n`);
    return { name: "out", payload: n };
  });
  await app.start();
} else if (what === "poison") {
  const app = new PapaApp({ transport, logger: quiet });
  app.onEvent("x", { useCase: "uc" }, async (n) => {
    if (n === 0) process.kill(process.pid, "SIGKILL");
    await new Promise((resolve) => setTimeout(resolve, 20));
    process.stdout.write(`handled ${n}\n`);
  });
  await app.start();
} else if (what === "tail") {
  const options = { appName: "tail", logger: quiet, maxHeldBytes: 1, onStatus: () => {}, onProblem: () => {} };
  const { administration } = await transport.connect({ ...options, operator: true });
  await administration?.tail(["#"], { onEvent: () => {}, onDropped: () => {}, onEnd: () => {} });
  process.stdout.write("watching\n");
} else {
  const letters = deadLetters(transport, "uc");
  for (;;) {
    process.stdout.write("listing\n");
    const { items } = await letters.list({ limit: 1_000 });
    process.stdout.write(`listed ${items.length}\n`);
  }
}
