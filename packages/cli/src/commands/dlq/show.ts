import type { DeadLetterItem } from "@papa-events/core";
import { Command } from "commander";
import { notFound } from "../../errors/cli-error.ts";
import { EXIT } from "../../errors/exit-code.ts";
import { deadLetterJson } from "../../output/json-items.ts";
import { safe, safeJsonLines, safeLines } from "../../output/safe-text.ts";
import { ago, count, iso } from "../../output/words.ts";
import type { Open, Session } from "../../session/session.ts";
import { examples } from "../examples.ts";
import { USE_CASE } from "../use-case-argument.ts";

/** The stack is shown line by line; RabbitMQ's dead letters have it twice, for programs in Python. */
const SHOWN_ABOVE: ReadonlySet<string> = new Set([
  "papa_error_name",
  "papa_error_message",
  "papa_error_stack",
  "exception",
]);

/** `papa dlq show` */
export function show(open: Open): Command {
  return new Command("show")
    .summary("show one with payload, headers, error and stack")
    .description("Show a dead letter: payload, headers, attempts, error, stack. Changes nothing.")
    .argument(...USE_CASE)
    .argument("<id>", "as papa dlq list prints it")
    .addHelpText("after", examples("papa dlq show send_welcome 01900c5e-7d3f-7000-8000-5a2b6c7d8e9f"))
    .action((useCase: string, id: string) =>
      open(async (session) => {
        const item = await session.ops.deadLetters(useCase).get(id);
        if (item === undefined) throw gone(useCase, id);
        if (session.json) await session.out.json(deadLetterJson(item));
        else await write(session, item);
        return EXIT.done;
      }),
    );
}

/** The error of an id that is not there. */
export function gone(useCase: string, id: string): Error {
  return notFound(
    `${useCase} has no dead letter ${JSON.stringify(id)}: it was redriven or purged, or never was.`,
    `papa dlq list ${useCase} lists those that there are.`,
  );
}

async function write({ out, paint }: Session, item: DeadLetterItem): Promise<void> {
  const { id, eventId, useCase, eventName, reason, attempts, error, headers, firstFailedAt, lastFailedAt } = item;
  const facts: [string, string][] = [
    ["id", id],
    ["use case", useCase],
    ["event", eventName],
    ["event id", eventId],
    ["reason", `${reason}, after ${count(attempts, "attempt")}`],
    ["first failed", `${iso(firstFailedAt)} (${ago(firstFailedAt)})`],
    ["last failed", `${iso(lastFailedAt)} (${ago(lastFailedAt)})`],
    ["error", `${error.name}: ${error.message}`],
  ];
  for (const [name, value] of facts) {
    const text = name === "error" ? paint("red", safe(value)) : safe(value);
    await out.line(`${paint("bold", name.padEnd(12))}  ${text}`);
  }
  await section("payload", bodyLines(item));
  const others = Object.entries(headers).filter(([name]) => !SHOWN_ABOVE.has(name));
  await section(
    "headers",
    others.map(([name, value]) => `${safe(name)}: ${safe(String(value))}`),
  );
  if (error.stack !== "") await section("stack", safeLines(error.stack));

  async function section(title: string, lines: readonly string[]): Promise<void> {
    await out.line();
    await out.line(paint("bold", title));
    for (const line of lines) await out.line(`  ${line}`);
  }
}

function bodyLines(item: DeadLetterItem): string[] {
  if ("payload" in item) return safeJsonLines(item.payload);
  const text = Buffer.from(item.body).toString();
  return [`(${count(item.body.length, "byte")} that are not JSON)`, ...safeLines(text)];
}
