import type { PublishChannel } from "./publish-channel.ts";

/**
 * How long a second channel is done without that could not be opened; twice as long each time. Where an account has as many as
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
 * Two channels to publish on. The broker routes what comes on a channel in one process, which is what bounds a publisher: two
 * publish a third more. The second is opened when the first is busy, so that who publishes one event after another has one.
 */
export class ParallelChannels {
  readonly #first: Lane;
  readonly #second: Lane;
  /** When the second may be tried, by the monotonic clock. */
  #due = 0;
  #pause = INITIAL_PAUSE_MS;

  constructor(open: () => PublishChannel) {
    this.#first = { channel: open(), calls: 0 };
    this.#second = { channel: open(), calls: 0 };
  }

  /** The one that is less busy, of those that are open. */
  choose(): Lane {
    const [first, second] = [this.#first, this.#second];
    if (first.calls === 0) return first;
    if (second.channel.current === undefined) {
      this.#openSecond();
      return first;
    }
    return second.calls < first.calls ? second : first;
  }

  #openSecond(): void {
    if (performance.now() < this.#due) return;
    this.#second.channel.open().then(
      () => {
        this.#pause = INITIAL_PAUSE_MS;
      },
      () => {
        this.#due = performance.now() + this.#pause;
        this.#pause = Math.min(this.#pause * 2, MAX_PAUSE_MS);
      },
    );
  }
}
