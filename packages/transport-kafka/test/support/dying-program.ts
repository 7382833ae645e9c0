// A process that one of its events kills. It says what it has handled, an id a line: a pipe to a parent is written
// synchronously, so that what it said last is what it did last.
import { writeSync } from "node:fs";
import { PapaApp } from "@papa-events/core";
import { kafka } from "@papa-events/transport-kafka";

const app = new PapaApp({ transport: kafka(process.argv[2] ?? "") });
app.onEvent("work", { useCase: "killed" }, (payload, { id }) => {
  if (payload === "poison") process.kill(process.pid, "SIGKILL");
  writeSync(1, `${id}\n`);
});
await app.start();
