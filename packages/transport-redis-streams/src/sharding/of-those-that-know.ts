import { isPapaError } from "@papa-events/core";

/**
 * The answers of the shards that know a use case: somebody may have deleted what one has of it.
 *
 * @throws PapaError `unknown-use-case` if none does, and whatever else any of them says
 */
export async function ofThoseThatKnow<T>(answers: readonly Promise<T>[]): Promise<readonly T[]> {
  const settled = await Promise.allSettled(answers);
  const found: T[] = [];
  let unknown: unknown;
  for (const each of settled) {
    if (each.status === "fulfilled") found.push(each.value);
    else if (isPapaError(each.reason, "unknown-use-case")) unknown = each.reason;
    else throw each.reason;
  }
  if (found.length === 0) throw unknown;
  return found;
}
