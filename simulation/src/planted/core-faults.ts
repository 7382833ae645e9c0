import type { PlantedFault } from "./planted-fault.ts";

const HANDLE = "packages/core/src/handling/handle-delivery.ts";
const POOL = "packages/core/src/handling/worker-pool.ts";
const SETTLER = "packages/core/src/handling/settler.ts";
const QUARANTINE = "packages/core/src/handling/quarantine.ts";
const PUBLISHER = "packages/core/src/publishing/publisher.ts";
const POLICY = "packages/core/src/retry/failure-policy.ts";

/** Faults in the core. */
export const coreFaults: readonly PlantedFault[] = [
  {
    name: "an event is given up one attempt early",
    rules: ["T1"],
    file: POLICY,
    find: "event.attempt > this.#options.retries",
    replace: "event.attempt >= this.#options.retries",
  },
  {
    name: "a retry does not count its attempt",
    rules: ["T4"],
    file: POLICY,
    find: "this.#retry(event, event.attempt + 1,",
    replace: "this.#retry(event, event.attempt,",
  },
  {
    name: "the delay that a handler asks for is ignored",
    rules: ["T2"],
    file: POLICY,
    find: "if (error instanceof RetryAfter) return",
    replace: "if (error === this) return",
  },
  {
    name: "what a handler does after the drain timeout counts",
    rules: ["L2", "H1"],
    file: HANDLE,
    find: "if (!context.abandoned) settler.settle(",
    replace: "if (context.abandoned || !context.abandoned) settler.settle(",
  },
  {
    name: "an event that another version accepts is dropped",
    rules: ["R6"],
    file: "packages/core/src/declarations/verdict.ts",
    find: "if (others === undefined || others.length > 0) return",
    replace: "if (others === undefined) return",
  },
  {
    name: "one handler more runs than may",
    rules: ["H2"],
    file: POOL,
    find: "this.#alone.size < this.#options.concurrency",
    replace: "this.#alone.size <= this.#options.concurrency",
  },
  {
    name: "stop() waits longer than its drain timeout",
    rules: ["L2"],
    file: "packages/core/src/app/running-app.ts",
    find: "await inTime(this.#drain(), drainTimeout, this.#clock)",
    replace: "await inTime(this.#drain(), drainTimeout + 20_000, this.#clock)",
  },
  {
    name: "declarations are not repeated, so that those of a live instance are withdrawn",
    rules: ["R6"],
    file: "packages/core/src/declarations/declaration-keeper.ts",
    find: "const { connection, declarations, clock, onProblem, logger } = this.#options;",
    replace:
      "const { connection, clock, onProblem, logger } = this.#options;\n    const declarations: Declaration[] = [];",
  },
  {
    name: "a settlement that was lost is told as stored",
    rules: ["L6"],
    file: SETTLER,
    find: 'if (settled === "stored") return outcome;',
    replace: "return outcome;",
  },
  {
    name: "a retry is told before it is stored",
    rules: ["L6"],
    file: SETTLER,
    find: "    let outcome = first;",
    replace: "    let outcome = first;\n    await this.#notify(context, first, first);",
  },
  {
    name: "room for what was stored does not come back",
    rules: ["H1", "H8", "H9"],
    file: SETTLER,
    find: ".finally(() => held.settled(size))",
    replace: "",
  },
  {
    name: "handlers are called however much waits to be stored",
    rules: ["H9"],
    file: "packages/core/src/handling/held-bytes.ts",
    find: "return this.#settling < this.#maxSettling;",
    replace: "return this.#settling < Number.POSITIVE_INFINITY;",
  },
  {
    name: "a settlement that the broker refuses is forgotten",
    rules: ["H1", "H8"],
    file: SETTLER,
    find: "else await this.#wait(backoff);",
    replace: "else return undefined;",
  },
  {
    name: "the record of a trial is never taken back",
    rules: ["T6"],
    file: QUARANTINE,
    find: "return await this.#options.trials.end(useCase, id, trial);",
    replace: "return;",
  },
  {
    name: "a suspect does not wait for the others",
    rules: ["T6"],
    file: QUARANTINE,
    find: "await this.#inTime(running.none());",
    replace: "",
  },
  {
    name: "the others do not wait for a suspect",
    rules: ["T6"],
    file: QUARANTINE,
    find: "      running.keepFromStarting();\n",
    replace: "",
  },
  {
    name: "what is known to be lost is handled all the same",
    rules: ["L3"],
    file: HANDLE,
    find: "if (delivery.lost) continue;",
    replace: "",
  },
  {
    name: "handlers are begun after stop() was called",
    rules: ["L2"],
    file: POOL,
    find: "if (!this.#consuming || !running.open",
    replace: "if (!running.open",
  },
  {
    name: "deaths on trial count for nothing",
    rules: ["T6"],
    file: QUARANTINE,
    find: "if (deaths >= crashLimit)",
    replace: "if (deaths >= crashLimit * 1_000)",
  },
  {
    name: "after a trial nobody may start any more",
    rules: ["H1", "H8"],
    file: QUARANTINE,
    find: "      running.letStart();\n      if (this.#stopped ||",
    replace: "      if (this.#stopped ||",
  },
  {
    name: "a publish that the broker did not store is confirmed",
    rules: ["P1"],
    file: PUBLISHER,
    find: "const error = errors.get(index);",
    replace: "const error = errors.size < 0 ? errors.get(index) : undefined;",
  },
  {
    name: "what is to be sent again is forgotten",
    rules: ["H1", "P2"],
    file: PUBLISHER,
    find: "if (this.#connected) this.#noteAnswer(answered, refused, again);\n    else this.#sendFirst(refused);",
    replace: "if (this.#connected) this.#noteAnswer(answered, [], again);",
  },
  {
    name: "a handler that returns after its timeout has succeeded",
    rules: ["H7"],
    file: "packages/core/src/handling/call-with-timeout.ts",
    find: "        reject(error);\n",
    replace: "",
  },
  {
    name: "a dead letter loses the headers of its event",
    rules: ["H6"],
    file: "packages/core/src/wire/stored-again.ts",
    find: "if (!Object.hasOwn(ours, header)) kept[header] = value;",
    replace: "",
  },
  {
    name: "a redriven event keeps its attempt",
    rules: ["T4"],
    file: "packages/core/src/wire/header-names.ts",
    find: "DELIVERY_HEADERS: readonly string[] = [\n  HEADER.attempt,",
    replace: "DELIVERY_HEADERS: readonly string[] = [",
  },
  {
    name: "what is no JSON reaches a handler",
    rules: ["H5", "H6"],
    file: "packages/core/src/wire/payload.ts",
    find: "const payload: unknown = JSON.parse(json);",
    replace: 'const payload: unknown = json.startsWith("{") ? JSON.parse(json) : { label: "" };',
  },
  {
    name: "a handler sees the context of another",
    rules: ["H10"],
    file: "packages/core/src/context/current-event.ts",
    find: "  storage.enterWith(context);",
    replace: "  if (context.attempt === 1) storage.enterWith(context);",
  },
  {
    name: "an app that was refused stays unhealthy",
    rules: ["L6"],
    file: PUBLISHER,
    find: "if (problem === this.#problem) return;",
    replace: "if (problem === this.#problem || problem === undefined) return;",
  },
];
