import { promisify } from "node:util";
import * as zlib from "node:zlib";
import { lz4Decompress } from "./lz4.ts";
import { snappyDecompress } from "./snappy.ts";

/** No broker accepts batches that are larger than this by far; a hostile one could claim any size. */
const MAX_BYTES = 512 * 1_048_576;

/** How records can be compressed before they are sent, with Kafka's numbers. */
export const COMPRESSIONS = { gzip: 1, zstd: 4 } as const;

export type Compression = keyof typeof COMPRESSIONS;

/** Compresses the records of a batch, aside from the event loop. */
export async function compress(how: Compression, bytes: Buffer): Promise<Buffer> {
  return how === "gzip" ? promisify(zlib.gzip)(bytes) : promisify(zlib.zstdCompress)(bytes);
}

/** Whether this Node.js can compress so. */
export function canCompress(how: Compression): boolean {
  return how === "gzip" || typeof zlib.zstdCompress === "function";
}

/** Decompresses the records of a batch, by the number that its attributes hold. @throws Error for what cannot be read */
export function decompress(compression: number, bytes: Buffer): Buffer {
  switch (compression) {
    case 1:
      return zlib.gunzipSync(bytes, { maxOutputLength: MAX_BYTES });
    case 2:
      return snappyDecompress(bytes, MAX_BYTES);
    case 3:
      return lz4Decompress(bytes, MAX_BYTES);
    case 4:
      return zstdDecompress(bytes);
    default:
      throw new RangeError("this compression is not known");
  }
}

export function compressionName(compression: number): string {
  return ["none", "gzip", "snappy", "lz4", "zstd"][compression] ?? String(compression);
}

/** Node.js has it since 22.15. */
function zstdDecompress(bytes: Buffer): Buffer {
  if (typeof zlib.zstdDecompressSync !== "function") throw new RangeError("zstd needs Node.js 22.15 or newer");
  return zlib.zstdDecompressSync(bytes, { maxOutputLength: MAX_BYTES });
}
