import { createHash } from "node:crypto";
import type { Declaration } from "../transport/declarations.ts";

/** Makes the declaration of a use case. Equal sets of patterns have equal ids, in every process and whatever their order. */
export function declarationOf({
  name,
  patterns,
}: {
  readonly name: string;
  readonly patterns: readonly string[];
}): Declaration {
  const id = createHash("sha256")
    .update([...patterns].sort().join("\n"))
    .digest("base64url")
    .slice(0, 16);
  return { name, patterns, id };
}
