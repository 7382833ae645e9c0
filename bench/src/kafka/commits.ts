import type { Consumer } from "kafkajs";

/** Commits in the background, always the newest marks and one commit at a time: each takes some 6 ms. */
export class Commits {
  readonly #consumer: Consumer;
  readonly #marks = new Map<number, { topic: string; partition: number; offset: string }>();
  #running: Promise<void> | undefined;

  constructor(consumer: Consumer) {
    this.#consumer = consumer;
  }

  /** Everything of a partition up to this offset has been handled. */
  handled(topic: string, partition: number, last: string): void {
    this.#marks.set(partition, { topic, partition, offset: String(BigInt(last) + 1n) });
    this.#running ??= this.#commit().finally(() => {
      this.#running = undefined;
    });
  }

  async end(): Promise<void> {
    await this.#running;
  }

  async #commit(): Promise<void> {
    while (this.#marks.size > 0) {
      const marks = [...this.#marks.values()];
      this.#marks.clear();
      await this.#consumer.commitOffsets(marks);
    }
  }
}
