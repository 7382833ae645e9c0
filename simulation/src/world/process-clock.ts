import type { Clock } from "@papa-events/core/transport";
import type { SimulatedProcess } from "../scheduling/process.ts";
import type { Scheduler } from "../scheduling/scheduler.ts";

/** The clock of one process: its time of day may be off, and its timers may be late (L9). */
export function processClock(
  { scheduler, plan }: { readonly scheduler: Scheduler; readonly plan: { readonly timersLate: number } },
  process: SimulatedProcess,
): Clock {
  return {
    now: () => Math.floor(scheduler.now + process.clockSkew),
    elapsed: () => scheduler.now,
    after: (delay, fire) => {
      const late = plan.timersLate === 0 ? 0 : process.random.integer(0, plan.timersLate);
      return scheduler.after(process, delay + late, fire);
    },
  };
}
