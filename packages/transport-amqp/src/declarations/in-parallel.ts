/** Each use case takes a dozen calls, and a new queue takes the broker some 20 ms. */
const MAX_CONCURRENT_DECLARATIONS = 8;

/** Runs an action for each, a few at a time, and rejects after all have ended if one has failed. */
export async function inParallel<T>(all: readonly T[], act: (each: T) => Promise<void>): Promise<void> {
  const left = [...all];
  const next = async () => {
    for (let each = left.shift(); each !== undefined; each = left.shift()) await act(each);
  };
  const workers = Math.min(MAX_CONCURRENT_DECLARATIONS, left.length);
  const results = await Promise.allSettled(Array.from({ length: workers }, next));
  const failed = results.find((each) => each.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}
