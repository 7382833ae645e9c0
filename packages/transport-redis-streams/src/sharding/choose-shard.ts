/** Chooses a shard by an event's id: the same in every process, and all of them equally often. FNV-1a, 32 bits. */
export function shardOf(eventId: string, shards: number): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < eventId.length; at += 1) hash = Math.imul(hash ^ eventId.charCodeAt(at), 0x01000193);
  // The lower bits alone depend on the lower bits of the text alone.
  hash ^= hash >>> 16;
  return (hash >>> 0) % shards;
}
