import type { EventNote } from "../../history/entry.ts";

/** How the transport names its keys, and packs events: read here on its own, so that a slip there shows. */
const TAG = "{papa-events}:";

export const BINDINGS = `${TAG}bindings`;
export const DECLARATIONS = `${TAG}declarations`;
export const INBOX = `${TAG}inbox`;
export const GROUP = "papa";
/** The consumer that holds what was given back; with a declaration's id after it, for consumers of that declaration. */
export const RELEASED = "released";

export type Kind = "queue" | "waiting" | "due" | "dead" | "dead-order" | "leases" | "trials";

export function keyOf(kind: Kind, useCase: string): string {
  return `${TAG}${kind}:${useCase}`;
}

/** The use case that a key belongs to; `undefined` where it belongs to none. */
export function useCaseOf(key: string): string | undefined {
  return /^\{papa-events\}:(?:queue|waiting|due|dead|dead-order|leases|trials):(.*)$/.exec(key)?.[1];
}

/** A packed event, as far as it is looked into. */
export interface Packed {
  readonly event: EventNote;
  readonly attempt: number;
  readonly bytes: number;
}

/** @param packed with a character for each byte */
export function unpack(packed: string): Packed {
  const [head = "", headers = ""] = packed.split("\n", 2);
  const body = Buffer.from(packed.slice(head.length + headers.length + 2), "latin1").toString();
  const space = head.indexOf(" ");
  const { label = "" } = body.startsWith("{") ? (JSON.parse(body) as { readonly label?: string }) : {};
  return {
    event: { id: idIn(headers), label, name: head.slice(space + 1) },
    attempt: Number(head.slice(0, space)),
    bytes: body.length,
  };
}

function idIn(headers: string): string {
  const text = Buffer.from(headers, "latin1").toString();
  if (!text.startsWith("{")) return text.slice(0, text.indexOf("\t"));
  return (JSON.parse(text) as { readonly ce_id?: string }).ce_id ?? "";
}
