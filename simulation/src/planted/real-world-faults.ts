import type { PlantedFault } from "./planted-fault.ts";

const QUEUE = "packages/transport-memory/src/consuming/queue.ts";
const WAITS = "this.#clock.after(delay, () => {";

/** What lets the real world into a run. */
export const realWorldFaults: readonly PlantedFault[] = [
  {
    name: "the real clock is read",
    rules: ["run"],
    file: QUEUE,
    find: WAITS,
    replace: `process.hrtime();\n    ${WAITS}`,
  },
  {
    name: "a real timer is set",
    rules: ["run"],
    file: QUEUE,
    find: WAITS,
    replace: `AbortSignal.timeout(1);\n    ${WAITS}`,
  },
  {
    name: "real chance decides",
    rules: ["run"],
    file: "packages/core/src/retry/retry-delay.ts",
    find: "jitter * Math.random()",
    replace: 'jitter * (process.getBuiltinModule("node:crypto").getRandomValues(new Uint8Array(1))[0] ?? 0) / 256',
  },
  {
    name: "the real event loop gets something to do",
    rules: ["run"],
    file: QUEUE,
    find: WAITS,
    replace: `new MessageChannel().port1.ref();\n    ${WAITS}`,
  },
];
