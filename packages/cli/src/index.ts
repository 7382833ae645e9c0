/**
 * The command `papa` as a function, for tests and programs that run it in their own process.
 *
 * @packageDocumentation
 */
export { type RunOptions, run } from "./run.ts";
export type { Io } from "./session/io.ts";
