import { createHash } from "node:crypto";
import type { Declaration } from "@papa-events/core/transport";

/** Makes a use case's declaration as an app would: equal sets of patterns have equal ids. */
export function declaration(name: string, ...patterns: readonly string[]): Declaration {
  const set = [...patterns].sort().join("\n");
  return { name, patterns, id: createHash("sha256").update(set).digest("base64url").slice(0, 16) };
}
