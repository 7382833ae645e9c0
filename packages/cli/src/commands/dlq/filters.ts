import type { DeadLetterFilter, DeadLetterReason } from "@papa-events/core";
import type { Command } from "commander";
import { Option } from "commander";
import { parseMoment } from "../../input/moment.ts";

const REASONS: readonly DeadLetterReason[] = [
  "retries-exhausted",
  "rejected",
  "invalid-payload",
  "invalid-output",
  "unknown-event",
  "crash-loop",
];

/** The options that dead letters are searched by. */
export interface FilterOptions {
  readonly event?: string;
  readonly reason?: DeadLetterReason;
  readonly text?: string;
  readonly since?: string;
  readonly until?: string;
}

/** Adds the options that dead letters are searched by. */
export function withFilters(command: Command): Command {
  return command
    .option("--event <pattern>", "of this event, or of those that a pattern matches, such as 'user.*'")
    .addOption(new Option("--reason <reason>", "given up for this reason").choices(REASONS))
    .option("--text <words>", "with this in the error's name, message or stack; upper and lower case alike")
    .option("--since <time>", "dead since then: 2h, 3d, 2026-01-31, 2026-01-31T09:30Z (UTC)")
    .option("--until <time>", "dead before then");
}

/** The filter that the options make; `undefined` without any. */
export function filterFrom({ event, reason, text, since, until }: FilterOptions): DeadLetterFilter | undefined {
  const filter: DeadLetterFilter = {
    ...(event === undefined ? {} : { event }),
    ...(reason === undefined ? {} : { reason }),
    ...(text === undefined ? {} : { text }),
    ...(since === undefined ? {} : { after: parseMoment(since, "--since") }),
    ...(until === undefined ? {} : { before: parseMoment(until, "--until") }),
  };
  return Object.keys(filter).length === 0 ? undefined : filter;
}
