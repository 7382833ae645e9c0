import type { QueueStats } from "@papa-events/core";
import type { Transport } from "@papa-events/core/transport";
import type { EventPlan } from "../plan/plan.ts";
import type { SimulatedProcess } from "../scheduling/process.ts";

/** A process's way to the broker. */
export interface Way extends Transport {
  /** Its process has been killed. */
  sever(): void;
  /** Loses or restores its connections. @param silent whether nobody learns of that, and what is on its way arrives later */
  setConnected(connected: boolean, silent: boolean): void;
}

/** The broker of a run. */
export interface Broker {
  wayOf(process: SimulatedProcess): Way;
  /** Has a program without the library publish: what the broker gets is a name, a body and headers of anybody's. */
  dropIn(events: readonly EventPlan[]): Promise<void>;
  /** What it holds of a use case; `undefined` where nobody has declared it. */
  inspect(useCase: string): Promise<QueueStats | undefined>;
  /** Whether something is held that no use case has yet. */
  readonly holdsMore: boolean;
  /** Forgets what can be made again at any time. */
  forget(): void;
}
