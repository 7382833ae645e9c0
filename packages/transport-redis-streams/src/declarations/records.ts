import type { DeclarationRecord } from "@papa-events/core/transport";

/** What the script replies: bindings with how long ago each was declared, and declarations with that and their patterns. */
export type ListReply = readonly [bindings: readonly (string | number)[], declarations: readonly (string | number)[]];

/**
 * Makes records of what the server keeps. A version of this library that recorded no declarations only binds its
 * patterns: such a binding is a record of its own, without id and app.
 */
export function toRecords([bindings, declarations]: ListReply): readonly DeclarationRecord[] {
  const records: DeclarationRecord[] = [];
  const bound = new Map<string, number>();
  for (let at = 0; at + 1 < bindings.length; at += 2) bound.set(String(bindings[at]), Number(bindings[at + 1]));
  /** Binding -> how long ago a declaration with it was seen. */
  const declared = new Map<string, number>();
  for (let at = 0; at + 2 < declarations.length; at += 3) {
    const [useCase = "", id = "", ...app] = String(declarations[at]).split(" ");
    const idle = Number(declarations[at + 1]);
    // What has been unbound is not declared any more, whoever unbound it.
    const patterns = String(declarations[at + 2])
      .split(" ")
      .filter((pattern) => bound.has(`${useCase} ${pattern}`));
    if (patterns.length > 0) records.push({ useCase, id, app: app.join(" "), patterns, idle });
    for (const pattern of patterns) {
      const binding = `${useCase} ${pattern}`;
      declared.set(binding, Math.min(idle, declared.get(binding) ?? Number.POSITIVE_INFINITY));
    }
  }
  for (const [binding, idle] of bound) {
    if ((declared.get(binding) ?? Number.POSITIVE_INFINITY) <= idle) continue;
    const space = binding.indexOf(" ");
    records.push({ useCase: binding.slice(0, space), patterns: [binding.slice(space + 1)], idle });
  }
  return records;
}
