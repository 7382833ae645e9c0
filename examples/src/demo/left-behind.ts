import { copiedUrl } from "./broker-url.ts";
import { bold, dim } from "./look.ts";

/** The commands by which an operator goes on with what a run has left on a broker. */
export function leftLines(url: string): readonly string[] {
  const commands = [
    ["papa use-cases", "who handles what, what waits, what failed"],
    ["papa dlq summary", "why it failed"],
    ["papa dlq list page_security", "one by one; show, redrive, purge take an id"],
    ["papa doctor", "what is wrong, and what to do"],
  ].map(([command = "", what = ""]) => `  ${command.padEnd(30)}${dim(what)}`);
  return [
    bold("All of it is still there, and no app runs any more: the operator's side"),
    `  alias papa='node packages/cli/dist/bin.js'`,
    `  export PAPA_BROKER_URL='${copiedUrl(url)}'`,
    ...commands,
    `  npm run demo -- --clean --broker "$PAPA_BROKER_URL"   ${dim("removes it")}`,
  ];
}
