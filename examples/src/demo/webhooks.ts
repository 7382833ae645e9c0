import { createRequire } from "node:module";

const require = createRequire(import.meta.url);

/** A delivery as GitHub sent it, and the name it is replayed under. */
export interface Webhook {
  readonly name: string;
  readonly payload: Readonly<Record<string, unknown>>;
}

/** What we need of what the package says about each kind of webhook. */
interface Definition {
  readonly name: string;
  readonly examples: readonly Readonly<Record<string, unknown>>[];
}

/**
 * All real deliveries to api.github.com that `@octokit/webhooks-examples` ships, named `github.<event>.<action>`, or
 * `github.<event>` where there is no action.
 */
export function readWebhooks(): readonly Webhook[] {
  // Not an import: the compiler would infer a type from 4 MB of JSON.
  const definitions: readonly Definition[] = require("@octokit/webhooks-examples");
  return definitions.flatMap(({ name, examples }) =>
    examples.map((payload) => ({ name: eventName(name, payload.action), payload })),
  );
}

function eventName(event: string, action: unknown): string {
  return typeof action === "string" ? `github.${event}.${action}` : `github.${event}`;
}
