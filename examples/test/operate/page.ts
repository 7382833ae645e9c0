/** A command of a page, run as it is written. */
interface CommandStep {
  readonly kind: "command";
  readonly script: string;
  /** How it exits where all is as the page says. */
  readonly exit: number;
  /** What the page says that it prints. */
  readonly printed?: string;
  /** Whether numbers in it are only examples, since they depend on the moment. */
  readonly roughly: boolean;
}

/** Something that happens beside the commands, such as a deploy, named in the words of the page. */
interface MeanwhileStep {
  readonly kind: "meanwhile";
  readonly what: string;
}

export type Step = CommandStep | MeanwhileStep;

/**
 * What a page of the runbook does: blocks that begin with "```sh run", "```text printed" or "```text printed roughly" right
 * behind one, and comments `<!-- meanwhile: the fixed version is deployed -->`. A command that finds something, and so exits
 * otherwise than with 0, says so: "```sh run exit=1".
 */
const STEP =
  /^```sh run(?: exit=(\d+))?\n(.*?)^```\n(?:\n```text printed( roughly)?\n(.*?)^```$)?|^<!-- meanwhile: ([^\n]+?) -->$/gms;

export function stepsOf(page: string): readonly Step[] {
  return [...page.matchAll(STEP)].map(([, exit = "0", script, roughly, printed, what]): Step => {
    if (script === undefined) return { kind: "meanwhile", what: what ?? "" };
    const shown = printed === undefined ? {} : { printed };
    return { kind: "command", script, exit: Number(exit), roughly: roughly !== undefined, ...shown };
  });
}

/** The page with what its commands printed this time, in their order. */
export function withPrinted(page: string, printed: readonly string[]): string {
  let command = 0;
  return page.replace(STEP, (step: string, _exit, script, roughly, before) => {
    if (script === undefined) return step;
    const now = printed[command++];
    if (before === undefined || now === undefined) return step;
    const [head = ""] = step.split("\n```text printed");
    return `${head}\n\`\`\`text printed${roughly ?? ""}\n${now}\`\`\``;
  });
}
