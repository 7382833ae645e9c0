import type { PublishChannel } from "./publish-channel.ts";

const MAX_CHANNELS = 4;
/**
 * How long another channel is done without that could not be opened; twice as long each time. Where an account has as many as
 * it is allowed (`max-channels`) each try costs the connection.
 */
const INITIAL_PAUSE_MS = 60_000;
const MAX_PAUSE_MS = 24 * 3_600_000;

/** A channel, and how many calls are under way on it. */
export interface Lane {
  readonly channel: PublishChannel;
  calls: number;
}

/**
 * Channels to publish on. The broker routes what comes on a channel in one process, which is what bounds a publisher: four
 * publish up to half more. Another is opened when all are busy, so that who publishes one event after another has one.
 */
export class ParallelChannels {
  readonly #first: Lane;
  readonly #others: readonly Lane[];
  /** When another may be tried, by the monotonic clock. */
  #due = 0;
  #pause = INITIAL_PAUSE_MS;
  #opening = false;

  constructor(open: () => PublishChannel) {
    const lane = (): Lane => ({ channel: open(), calls: 0 });
    this.#first = lane();
    this.#others = Array.from({ length: MAX_CHANNELS - 1 }, lane);
  }

  /** The one that is least busy, of those that are open. */
  choose(): Lane {
    let least = this.#first;
    let closed: Lane | undefined;
    for (const lane of this.#others) {
      if (lane.channel.current === undefined) closed ??= lane;
      else if (lane.calls < least.calls) least = lane;
    }
    if (least.calls > 0 && closed !== undefined) this.#openAnother(closed);
    return least;
  }

  #openAnother({ channel }: Lane): void {
    if (this.#opening || performance.now() < this.#due) return;
    this.#opening = true;
    channel
      .open()
      .then(
        () => {
          this.#pause = INITIAL_PAUSE_MS;
        },
        () => {
          this.#due = performance.now() + this.#pause;
          this.#pause = Math.min(this.#pause * 2, MAX_PAUSE_MS);
        },
      )
      .finally(() => {
        this.#opening = false;
      });
  }
}
