import type { Logger } from "../logging/logger.ts";
import { EventContext } from "./event-context.ts";

/** What lives as long as one delivery, such as the instances injected for it. */
export interface DeliveryScope {
  /** Whether there is something to dispose of. */
  readonly occupied: boolean;
  /** Disposes of what is in it. Called at most once, and not at all while it is not {@link occupied}. */
  dispose(): unknown;
}

/** Without its members, so that the compiler tells which of them a class lacks. */
const Base = EventContext as new () => object;

/** A context that disposes of what was made for its delivery once that is settled. */
export abstract class ScopedContext extends Base {
  abstract readonly logger: Logger;
  /** Made by the handler that needs one; asked after the handler has ended, since it may fill while that runs. */
  scope: DeliveryScope | undefined = undefined;

  /** Whether {@link disposeScope} has something to do. */
  get hasScope(): boolean {
    return this.scope?.occupied === true;
  }

  /** Disposes of {@link scope}; errors are logged. */
  async disposeScope(): Promise<void> {
    try {
      if (this.hasScope) await this.scope?.dispose();
    } catch (error) {
      this.logger.error({ err: error }, "Cleaning up after a handler failed.");
    }
  }
}
