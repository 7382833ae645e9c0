import type { PublishChannel } from "./publish-channel.ts";

const MAX_CHANNELS = 4;
/**
 * How long another channel is done without that could not be opened; twice as long each time. Where an account has as many as
 * it is allowed (`max-channels`) each try costs the connection.
 */
const INITIAL_PAUSE_MS = 60_000;
const MAX_PAUSE_MS = 24 * 3_600_000;

/** A channel, and how many calls are under way on it. */
export interface CountedChannel {
  readonly channel: PublishChannel;
  calls: number;
}

/**
 * Channels to publish on. The broker routes what comes on a channel in one process, which is what bounds a publisher: four
 * publish up to half more. Another is opened when all are busy, so that who publishes one event after another has one.
 */
export class ParallelChannels {
  readonly #first: CountedChannel;
  readonly #others: readonly CountedChannel[];
  /** When another may be tried, by the monotonic clock. */
  #due = 0;
  #pause = INITIAL_PAUSE_MS;
  #opening = false;

  constructor(open: () => PublishChannel) {
    const counted = (): CountedChannel => ({ channel: open(), calls: 0 });
    this.#first = counted();
    this.#others = Array.from({ length: MAX_CHANNELS - 1 }, counted);
  }

  /** The one that is least busy, of those that are open. */
  choose(): CountedChannel {
    let least = this.#first;
    let closed: CountedChannel | undefined;
    for (const counted of this.#others) {
      if (counted.channel.current === undefined) closed ??= counted;
      else if (counted.calls < least.calls) least = counted;
    }
    if (least.calls > 0 && closed !== undefined) this.#openAnother(closed);
    return least;
  }

  #openAnother({ channel }: CountedChannel): void {
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
