import { AsyncLocalStorage } from "node:async_hooks";
import type { SimulatedProcess } from "../scheduling/process.ts";

/** Whose code runs: its timers are its own, and die with it. */
export const owner = new AsyncLocalStorage<SimulatedProcess>();
