/** After so long, a member that delivers nothing leaves the partitions to others. */
const GIVE_UP_AFTER_MS = 1_000;

/** Whether a member of a group delivers. One that does not stays in the group, and soon tells it to give the work to others. */
export class Pause {
  readonly #onGivingUp: () => void;
  #isOn = false;
  /** Whether the group has been told. */
  #isKnown = false;
  #timer: NodeJS.Timeout | undefined;

  /** @param onGivingUp called when the group is to be told */
  constructor(onGivingUp: () => void) {
    this.#onGivingUp = onGivingUp;
  }

  get isOn(): boolean {
    return this.#isOn;
  }

  begin(): void {
    this.#isOn = true;
    // Who stops for good leaves the group before that.
    this.#timer = setTimeout(this.#onGivingUp, GIVE_UP_AFTER_MS);
  }

  /** @returns whether the group is to be told, since it knows of the pause */
  end(): boolean {
    this.#isOn = false;
    this.stop();
    return this.#isKnown;
  }

  /** To be called when the group is joined. @returns what to tell it: whether the work is left to others */
  tell(): boolean {
    this.#isKnown = this.#isOn;
    return this.#isKnown;
  }

  /** Tells nobody. */
  stop(): void {
    clearTimeout(this.#timer);
  }
}
