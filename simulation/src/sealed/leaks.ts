/** Counts what the real event loop of this thread has to do: a run adds nothing to it. */
export function realResources(): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
  return counts;
}

/** Names what there is more of than before. */
export function leaked(before: ReadonlyMap<string, number>): string[] {
  return [...realResources()].filter(([kind, count]) => count > (before.get(kind) ?? 0)).map(([kind]) => kind);
}
