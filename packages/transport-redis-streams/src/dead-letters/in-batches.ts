import type { Progress } from "@papa-events/core/transport";

/** A part of a long call: how many were looked at for it, and those of them that are meant. */
export interface Batch<T> {
  readonly seen: number;
  readonly picked: readonly T[];
}

/**
 * Does something with every batch, one after the other, tells how far it is after each, and ends after the batch under way
 * when it is aborted.
 *
 * @param act resolves to how many it has done
 */
export async function inBatches<T>(
  batches: AsyncIterable<Batch<T>>,
  act: (picked: readonly T[]) => Promise<number>,
  { onProgress, signal }: Progress = {},
): Promise<number> {
  const ended = () => signal?.aborted === true;
  let seen = 0;
  let done = 0;
  if (!ended()) {
    for await (const batch of batches) {
      if (batch.picked.length > 0) done += await act(batch.picked);
      seen += batch.seen;
      onProgress?.({ seen, done });
      if (ended()) return done;
    }
  }
  onProgress?.({ seen, done });
  return done;
}
