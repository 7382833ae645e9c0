#!/usr/bin/env node
import { EXIT } from "./errors/exit-code.ts";
import { run } from "./run.ts";

const { argv, stdin, stdout, stderr, env } = process;
const interruption = new AbortController();

for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => {
    // Who asks twice does not want to wait for what is under way.
    if (interruption.signal.aborted) process.exit(EXIT.interrupted);
    interruption.abort();
  });
}

run(argv.slice(2), { stdin, stdout, stderr, env, signal: interruption.signal }).then((code) => {
  // A pipe takes what is written to it later, and a client may keep a socket open.
  stdout.write("", () => process.exit(code));
});
