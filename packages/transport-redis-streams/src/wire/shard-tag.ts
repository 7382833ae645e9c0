/** How many slots a cluster has. */
const SLOTS = 16_384;

/**
 * Names the hash tag of a shard but the first, whose tag is the namespace itself. Its slot is as far from the first one's as makes
 * all of them spread evenly over the slots, so that they are on different nodes of a cluster where there are enough.
 */
export function shardTag(namespace: string, shard: number, shards: number): string {
  const wanted = (slotOf(namespace) + Math.round((shard * SLOTS) / shards)) % SLOTS;
  const tolerance = Math.floor(SLOTS / (64 * shards));
  for (let number = 0; ; number += 1) {
    const tag = `${namespace}/${shard}-of-${shards}.${number}`;
    const distance = Math.abs(slotOf(tag) - wanted);
    if (Math.min(distance, SLOTS - distance) <= tolerance) return tag;
  }
}

/** The slot of a key: CRC-16/XMODEM, as the cluster's specification has it. */
export function slotOf(tag: string): number {
  let crc = 0;
  for (const byte of Buffer.from(tag)) {
    crc ^= byte << 8;
    for (let bit = 0; bit < 8; bit += 1) crc = (crc & 0x8000) === 0 ? crc << 1 : (crc << 1) ^ 0x1021;
    crc &= 0xffff;
  }
  return crc % SLOTS;
}
