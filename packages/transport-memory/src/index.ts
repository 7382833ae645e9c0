export { fromUri, type MemoryOptions, memory } from "./memory.ts";
export type { MemoryTransport } from "./transport.ts";
export { type VirtualClock, type VirtualClockOptions, virtualClock } from "./waiting/virtual-clock.ts";
