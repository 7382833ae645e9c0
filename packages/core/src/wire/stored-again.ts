import type { EncodedEvent, Headers } from "../transport/event.ts";
import type { EventReader } from "./decode.ts";
import { HEADER } from "./header-names.ts";
import { cutText } from "./text.ts";
import { isoTime, parseTime } from "./time.ts";

/** A name of an event from outside may be longer than ours, as long as AMQP's routing key. */
const MAX_FOREIGN_NAME_BYTES = 255;

/** A received event and the body it came with, about to be stored again. */
export interface StoredAgain {
  readonly reader: EventReader;
  readonly body: Uint8Array;
}

/** How many bytes of headers the broker takes; each header counts its name, its value and `perHeader` bytes. */
export interface HeaderBudget {
  readonly maxBytes: number;
  readonly perHeader: number;
}

/**
 * Encodes a received event to be stored again, with `changes` to its headers. An event from outside gets our
 * metadata here, so that its name, id and time stay what they were.
 *
 * What does not fit the budget is cut: first the stack, then the error's message, then the largest headers that are
 * not ours. The event says what was cut. Its body never is (D5).
 */
export function storeAgain({ reader, body }: StoredAgain, changes: Headers, budget: HeaderBudget): EncodedEvent {
  const { id, time } = reader;
  const name = cutText(reader.name, MAX_FOREIGN_NAME_BYTES);
  const ours: Record<string, string> = {
    [HEADER.specVersion]: "1.0",
    [HEADER.id]: id,
    [HEADER.type]: name,
    [HEADER.source]: cutText(reader.text(HEADER.source) ?? "unknown", MAX_FOREIGN_NAME_BYTES),
    [HEADER.time]: isoTime(time),
    ...(reader.direct ? { [HEADER.direct]: "1" } : {}),
    ...changes,
  };
  const kept: Record<string, string> = {};
  for (const [header, value] of Object.entries(reader.headers)) {
    if (!Object.hasOwn(ours, header)) kept[header] = value;
  }
  const raw = reader.rawHeaders;
  const dropped = fit(ours, kept, raw, budget);
  const rawLeft = Object.keys(raw).some((header) => !dropped.has(header));
  const event = { name, id, time, headers: { ...kept, ...ours }, body };
  if (!rawLeft) return event;
  return { ...event, rawHeaders: without(raw, dropped) };
}

/** Without some headers. */
export function withoutHeaders(event: EncodedEvent, names: readonly string[]): EncodedEvent {
  return { ...event, headers: without(event.headers, new Set(names)) };
}

/** Reads a time that an earlier failure noted, or gives `now`; written anew, since a stranger's header may hold anything. */
export function notedTime(reader: EventReader, header: string, now: number): string {
  return isoTime(parseTime(reader.text(header)) ?? now);
}

/** Cuts in place until all of it fits; returns the names of the headers that were left out. */
function fit(
  ours: Record<string, string>,
  kept: Record<string, string>,
  raw: Readonly<Record<string, unknown>>,
  { maxBytes, perHeader }: HeaderBudget,
): ReadonlySet<string> {
  const sizes = new Map<string, number>();
  for (const [name, value] of Object.entries(kept)) sizes.set(name, perHeader + bytesOf(name) + bytesOf(value));
  // What is not text is measured by a generous guess: a broker's own types take no more than their text in JSON. A transport
  // that has no such types stores the text that stands for it.
  for (const [name, value] of Object.entries(raw)) {
    sizes.set(name, Math.max(sizes.get(name) ?? 0, perHeader + bytesOf(name) + rawBytesOf(value)));
  }
  let over = -maxBytes;
  for (const size of sizes.values()) over += size;
  for (const [name, value] of Object.entries(ours)) over += perHeader + bytesOf(name) + bytesOf(value);
  if (over <= 0) return new Set();

  const notes: string[] = [];
  const earlier = takeEarlierCut(kept);
  for (const name of [HEADER.cut, HEADER.dropped]) {
    over -= sizes.get(name) ?? 0;
    sizes.delete(name);
  }
  // Room for what is said about the cuts.
  over += 2 * (perHeader + MAX_FOREIGN_NAME_BYTES + 32);
  for (const name of [HEADER.errorStack, HEADER.errorMessage]) {
    const value = ours[name];
    if (over <= 0 || value === undefined || value === "") continue;
    const size = bytesOf(value);
    const shorter = cutText(value, Math.max(0, size - over));
    ours[name] = shorter;
    over -= size - bytesOf(shorter);
    notes.push(name === HEADER.errorStack ? "stack" : "message");
  }
  const dropped = new Set<string>();
  for (const [name, size] of [...sizes].sort((a, b) => b[1] - a[1])) {
    if (over <= 0) break;
    over -= size;
    delete kept[name];
    dropped.add(name);
  }
  const missing = earlier.count + dropped.size;
  if (missing > 0) {
    notes.push(`${missing} headers`);
    ours[HEADER.dropped] = cutText([...earlier.names, ...dropped].join(" "), MAX_FOREIGN_NAME_BYTES);
  }
  ours[HEADER.cut] = notes.join(", ");
  return dropped;
}

/** Removes what an earlier cut has noted, and gives the headers that it left out: they are missing still. */
function takeEarlierCut(kept: Record<string, string>): { readonly names: readonly string[]; readonly count: number } {
  const { [HEADER.dropped]: names, [HEADER.cut]: cut = "" } = kept;
  delete kept[HEADER.dropped];
  delete kept[HEADER.cut];
  if (names === undefined) return { names: [], count: 0 };
  return { names: [names], count: Number(/(\d{1,6}) headers/.exec(cut)?.[1] ?? 1) };
}

function without<T>(headers: Readonly<Record<string, T>>, names: ReadonlySet<string>): Readonly<Record<string, T>> {
  return Object.fromEntries(Object.entries(headers).filter(([name]) => !names.has(name)));
}

function bytesOf(text: string): number {
  return Buffer.byteLength(text);
}

function rawBytesOf(value: unknown): number {
  if (value instanceof Uint8Array) return value.length;
  if (Array.isArray(value)) {
    // A stranger's list may be nested deeper than the stack is: anything but a list of plain values counts as too large.
    return value.reduce<number>(
      (sum, each) => sum + 8 + (Array.isArray(each) ? Number.MAX_SAFE_INTEGER / 1e6 : rawBytesOf(each)),
      0,
    );
  }
  if (typeof value === "string") return bytesOf(value);
  if (typeof value !== "object" || value === null) return 16;
  try {
    return bytesOf(JSON.stringify(value));
  } catch {
    return Number.MAX_SAFE_INTEGER / 1e6;
  }
}
