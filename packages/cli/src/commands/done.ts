import { safe } from "../output/safe-text.ts";
import type { Session } from "../session/session.ts";

/** Says that something was done to a use case. */
export function done({ out, json }: Session, useCase: string, text: string): Promise<void> {
  return json ? out.json({ useCase, done: true }) : out.line(safe(text));
}
