import type { FileHandle } from "node:fs/promises";
import { isPapaError, type PublishOptions } from "@papa-events/core";
import { Command } from "commander";
import { FailedMidway, interrupted, wrongUse } from "../errors/cli-error.ts";
import { EXIT } from "../errors/exit-code.ts";
import { eventOf } from "../input/event-line.ts";
import { withInput } from "../input/input-file.ts";
import { type JsonLine, jsonLines } from "../input/json-lines.ts";
import { readPayload } from "../input/payload-argument.ts";
import { safe } from "../output/safe-text.ts";
import { count } from "../output/words.ts";
import type { Open, Session } from "../session/session.ts";
import { examples } from "./examples.ts";

/** How much is published at once. */
const MAX_BATCH_EVENTS = 500;
const MAX_BATCH_BYTES = 8_388_608;
/** How many lines an error names. */
const MAX_LINES_NAMED = 10;

interface Options {
  readonly header?: readonly string[];
  readonly id?: string;
  readonly many?: boolean;
}

/** `papa publish` */
export function publish(open: Open): Command {
  return new Command("publish")
    .summary("publish an event, or many")
    .description(
      "Publish an event as an app would, and print its id. With --many: JSON lines { name, payload, " +
        "headers?, id? } from standard input or a file, or those of papa dlq export; all lines are checked before " +
        "the first is sent.",
    )
    .argument("[event]", "its name; with --many, a file of JSON lines as @file (standard input unless given)")
    .argument("[payload]", "JSON, @file, or - for standard input")
    .option("-H, --header <name=value>", "a header; may be given several times", collected)
    .option("--id <id>", "its id, to publish the same event again safely (default: a new one)")
    .option("--many", "publish JSON lines")
    .addHelpText(
      "after",
      examples(`papa publish user.created '{ "name": "carlos" }'`, "papa publish --many @events.jsonl"),
    )
    .action((name: string | undefined, payload: string | undefined, options: Options) => {
      if (options.many) {
        const path = fileOf(name, payload, options);
        return open((session) => publishMany(session, path), { endsBySignal: true, acts: true });
      }
      if (name === undefined) throw wrongUse("Give the event's name.", "Such as: papa publish user.created '{}'");
      if (payload === undefined)
        throw wrongUse(
          `Give the payload of ${name}.`,
          "JSON, @file or -; an event that has none is published with null.",
        );
      const publishOptions = publishOptionsOf(options);
      return open(async (session) => {
        const { id } = await session.ops.publish(name, await readPayload(payload, session.stdin), publishOptions);
        await printId(session, id);
        return EXIT.done;
      });
    });
}

function fileOf(name: string | undefined, payload: string | undefined, { header, id }: Options): string {
  if (header !== undefined || id !== undefined)
    throw wrongUse("--header and --id are of one event.", "With --many, each line has its own headers and id.");
  if (name === undefined || name === "-") return "-";
  if (!name.startsWith("@") || payload !== undefined)
    throw wrongUse("--many takes its events from standard input, or from a file given as @file.");
  return name.slice(1);
}

function collected(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, value];
}

function publishOptionsOf({ header = [], id }: Options): PublishOptions {
  const pairs = header.map((pair): [string, string] => {
    const at = pair.indexOf("=");
    if (at < 1) throw wrongUse(`--header: ${JSON.stringify(pair)} is not of the form name=value.`);
    return [pair.slice(0, at), pair.slice(at + 1)];
  });
  return { headers: Object.fromEntries(pairs), ...(id === undefined ? {} : { id }) };
}

async function publishMany(session: Session, path: string): Promise<number> {
  return withInput(path, session, async (file) => {
    for await (const line of jsonLines(file)) eventOf(line);
    return publishLines(session, file);
  });
}

async function publishLines({ ops, out, json, signal }: Session, file: FileHandle): Promise<number> {
  let published = 0;
  for await (const lines of batches(file)) {
    if (signal.aborted) break;
    const ids = await ops.publishMany(lines.map(eventOf)).catch((error: unknown) => {
      throw new FailedMidway(error, outcomeOf(error, lines, published));
    });
    published += ids.length;
    for (const { id } of ids) await printId({ out, json }, id);
  }
  if (signal.aborted) throw interrupted(`Interrupted; ${count(published, "event")} were published.`);
  return EXIT.done;
}

async function* batches(file: FileHandle): AsyncGenerator<readonly JsonLine[], void, void> {
  let batch: JsonLine[] = [];
  let bytes = 0;
  for await (const line of jsonLines(file)) {
    batch.push(line);
    bytes += line.length;
    if (batch.length < MAX_BATCH_EVENTS && bytes < MAX_BATCH_BYTES) continue;
    yield batch;
    batch = [];
    bytes = 0;
  }
  if (batch.length > 0) yield batch;
}

/** Says which lines were not published, so that the others need not be published again. */
function outcomeOf(error: unknown, lines: readonly JsonLine[], before: number): string {
  const [first, last] = [lines[0]?.number, lines.at(-1)?.number];
  if (!isPapaError(error, "publish-incomplete"))
    return `Of lines ${first} to ${last} none was sent; ${count(before, "event")} before them were published.`;
  const { confirmed, failed } = error.details;
  const numbers = failed.map(({ index }) => lines[index]?.number);
  const more =
    numbers.length > MAX_LINES_NAMED ? ` and ${numbers.length - MAX_LINES_NAMED} more up to line ${last}` : "";
  const named = `${numbers.slice(0, MAX_LINES_NAMED).join(", ")}${more}`;
  return `Not published: line ${named}. Published: ${count(before + confirmed, "event")}.`;
}

function printId({ out, json }: Pick<Session, "out" | "json">, id: string): Promise<void> {
  return json ? out.json({ id }) : out.line(safe(id));
}
