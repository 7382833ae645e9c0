import { coreFaults } from "./core-faults.ts";
import { memoryFaults } from "./memory-faults.ts";
import type { PlantedFault } from "./planted-fault.ts";
import { realWorldFaults } from "./real-world-faults.ts";
import { redisFaults } from "./redis-faults.ts";

/** All faults that are planted, one at a time. */
export const plantedFaults: readonly PlantedFault[] = [
  ...memoryFaults,
  ...coreFaults,
  ...realWorldFaults,
  ...redisFaults,
];
