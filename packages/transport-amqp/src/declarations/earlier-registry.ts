import type { GetMessage } from "amqplib";
import type { Channels } from "../client/channels.ts";
import type { Locks } from "../client/locks.ts";
import { earlierRegistryQueue, type Names } from "../wire/names.ts";
import type { Declared } from "./registry-document.ts";

/** What the version before kept of a use case: the JSON in the one message of a queue of its own. */
export interface EarlierEntry {
  readonly declared: Declared;
  readonly delays: readonly number[];
}

/**
 * Takes over what the version before kept: a queue for each use case, with the bound patterns and the delays. An instance
 * of that version that still runs makes its queue again, and it is taken over again.
 */
export class EarlierRegistry {
  readonly #names: Names;
  readonly #channels: Channels;
  readonly #locks: Locks;

  constructor(names: Names, channels: Channels, locks: Locks) {
    this.#names = names;
    this.#channels = channels;
    this.#locks = locks;
  }

  /**
   * Hands what there is to `record`, and removes it when that is stored; resolves to whether there was anything.
   *
   * @throws PapaError `connection-failed`
   */
  async takeOver(useCase: string, record: (entry: EarlierEntry) => Promise<void>): Promise<boolean> {
    const queue = earlierRegistryQueue(this.#names.queue(useCase));
    if (!(await this.#channels.queueExists(queue))) return false;
    return this.#locks.hold(queue, () =>
      this.#channels.withChannel(async (channel) => {
        const message = await channel.get(queue);
        if (message === false) return false;
        await record(entryIn(useCase, message));
        channel.ack(message);
        await channel.deleteQueue(queue);
        return true;
      }),
    );
  }
}

/** Trusts nothing in the message: anybody who may write to the broker may have written it. */
function entryIn(useCase: string, { content }: GetMessage): EarlierEntry {
  let entry: Record<string, unknown> = {};
  try {
    entry = Object(JSON.parse(content.toString())) as Record<string, unknown>;
  } catch {
    // Nothing that could be taken over.
  }
  const { patterns, delays } = entry;
  const declared = { useCase, patterns: Object.keys(Object(patterns)), count: 1, at: Date.now() };
  return { declared, delays: Array.isArray(delays) ? delays.filter((each) => Number.isInteger(each)) : [] };
}
