import type { FetchedRecord, KafkaRecord } from "../wire/records.ts";
import type { Positions } from "./bindings.ts";

/**
 * A record of the registry, a compacted topic. Its key, in JSON, tells what it is about; without a value it is gone:
 *
 *     ["use case"]                               {}                       the use case exists
 *     ["use case","pattern"]                     {}                       the pattern was last seen at the record's time
 *     ["use case","pattern","writer"]            {"topic":[offset, ...]}  bound when the partitions ended at these offsets;
 *                                                                         "topic#":[id] beside it tells which topic of that name
 *     {"declaration":["use case","id","app"]}    ["pattern", ...]         declared by an app, last seen at the record's time
 *     {"trial":["use case","event id","trial"]}  {}                       a trial of the event began at the record's time
 *     {"paused":["use case"]}                    {}                       an operator has paused it
 *     {"removed":["use case"]}                   {"topic":[offset, ...]}  an operator has removed it: what stands before this
 *                                                                         record counts no more, nor what waits below these
 *                                                                         offsets of the delay topic, with its id as above
 *     {"topic":["topic","pattern"]}              {"topic":[offset, ...]}  an app has mapped a topic of others to these names,
 *                                                                         last seen at the record's time; when it was first
 *                                                                         mapped it ended at these offsets, with its id as above
 *
 * The latter are objects because earlier versions take every list for one of the first three.
 */
export type RegistryKey =
  | { readonly kind: "use-case"; readonly useCase: string }
  | { readonly kind: "pattern"; readonly useCase: string; readonly pattern: string }
  | { readonly kind: "binding"; readonly useCase: string; readonly pattern: string; readonly writer: string }
  | { readonly kind: "declaration"; readonly useCase: string; readonly id: string; readonly app: string }
  | { readonly kind: "trial"; readonly useCase: string; readonly eventId: string; readonly trial: string }
  | { readonly kind: "paused"; readonly useCase: string }
  | { readonly kind: "removed"; readonly useCase: string }
  | { readonly kind: "topic"; readonly topic: string; readonly pattern: string };

export function registryRecord(key: RegistryKey, value: object | null): KafkaRecord {
  return { key: encodeKey(key), value: value === null ? null : Buffer.from(JSON.stringify(value)) };
}

function encodeKey(key: RegistryKey): string {
  switch (key.kind) {
    case "use-case":
      return JSON.stringify([key.useCase]);
    case "pattern":
      return JSON.stringify([key.useCase, key.pattern]);
    case "binding":
      return JSON.stringify([key.useCase, key.pattern, key.writer]);
    case "declaration":
      return JSON.stringify({ declaration: [key.useCase, key.id, key.app] });
    case "trial":
      return JSON.stringify({ trial: [key.useCase, key.eventId, key.trial] });
    case "topic":
      return JSON.stringify({ topic: [key.topic, key.pattern] });
    case "paused":
    case "removed":
      return JSON.stringify({ [key.kind]: [key.useCase] });
  }
}

/** Reads a record's key; `undefined` for what this version does not know. */
export function readKey({ key }: FetchedRecord): RegistryKey | undefined {
  const parsed = parse(key);
  if (Array.isArray(parsed)) {
    const [useCase, pattern, writer] = parsed as unknown[];
    if (!isText(useCase) || !parsed.every(isText)) return undefined;
    if (!isText(pattern)) return { kind: "use-case", useCase };
    return isText(writer) ? { kind: "binding", useCase, pattern, writer } : { kind: "pattern", useCase, pattern };
  }
  if (typeof parsed !== "object" || parsed === null) return undefined;
  const [kind, about] = Object.entries(parsed)[0] ?? [];
  const [first, second, third] = Array.isArray(about) && about.every(isText) ? about : [];
  if (first === undefined) return undefined;
  if (kind === "paused" || kind === "removed") return { kind, useCase: first };
  if (second === undefined) return undefined;
  if (kind === "topic") return { kind, topic: first, pattern: second };
  if (third === undefined) return undefined;
  if (kind === "declaration") return { kind, useCase: first, id: second, app: third };
  return kind === "trial" ? { kind, useCase: first, eventId: second, trial: third } : undefined;
}

/** Unreadable positions accept everything: an event too many is skipped later, a missing one would be lost. */
export function readPositions(value: Buffer): Positions {
  const positions = parse(value);
  return typeof positions === "object" && positions !== null ? (positions as Positions) : {};
}

export function readPatterns(value: Buffer): readonly string[] {
  const patterns = parse(value);
  return Array.isArray(patterns) ? patterns.filter(isText) : [];
}

function isText(value: unknown): value is string {
  return typeof value === "string";
}

function parse(json: Buffer | null): unknown {
  try {
    return JSON.parse(json?.toString() ?? "");
  } catch {
    return undefined;
  }
}
